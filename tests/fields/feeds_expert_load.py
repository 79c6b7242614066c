"""Feeds of the histogram of experts' loads."""

from __future__ import annotations

from pathlib import Path

from feeding import Feed, Outcome, ReaderFeeds

from traffic.expert_load_file import ExpertLoadFile, read_expert_load
from traffic.transformer.shape import Experts, ModelShape

EXPERTS = Experts(count=4, top_k=1)
SHAPE = ModelShape(layers=2, hidden=64, ffn_hidden=128, heads=8, vocab=96, experts=EXPERTS)


def _read(document: str, folder: Path) -> Outcome:
    (folder / "load.csv").write_text(document)
    load = read_expert_load(ExpertLoadFile(path="load.csv"), folder, SHAPE, EXPERTS)
    return Outcome(load.visited.tolist(), ())


def _table(header: str, *rows: str) -> str:
    return "\n".join((header, *rows, ""))


_EVEN = _table("expert,tokens", "0,1", "1,1", "2,1", "3,1")
_BY_LAYER = "".join(f"1,{one},{count}\n" for one, count in enumerate((1, 1, 1, 1)))
READERS = [
    ReaderFeeds(
        "model", "expert load", _read,
        {
            "expert": Feed(_EVEN.replace("3,1", "3,5"), _EVEN.replace("0,1", "0,5")),
            "layer": Feed(_EVEN, "layer,expert,tokens\n0,0,4\n0,1,0\n0,2,0\n0,3,0\n" + _BY_LAYER),
            "tokens": Feed(_EVEN, _EVEN.replace("0,1", "0,5")),
            "share": Feed(_EVEN, _table("expert,share", "0,40%", "1,20%", "2,20%", "3,20%")),
        },
        unknown=Feed(_EVEN, _EVEN.replace("tokens", "zz_unheard_of")),
    ),
]  # fmt: skip
