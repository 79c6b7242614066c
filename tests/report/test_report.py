"""The report says what the routing says, in every form, and is safe to open."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fabric.cli.main import run

TRAIN = "examples/train-2k.fabric.yaml"
QUICKSTART = "examples/quickstart.fabric.yaml"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page, its Markdown and JSON, the route's JSON and a saved result of the 2,048-GPU example."""
    folder = tmp_path_factory.mktemp("report")
    for name in ("r.html", "r.md", "r.json"):
        assert run(["report", TRAIN, "-o", str(folder / name), "-q"]) == 0
    run(["route", TRAIN, "--top", "20", "-o", str(folder / "route.json"), "--save", str(folder / "x.fpr"), "-q"])
    return folder


def test_every_limit_phase_and_hot_link_is_on_the_page(written: Path) -> None:
    """Names and rounded figures of the route's own JSON."""
    page = (written / "r.html").read_text(encoding="utf-8")
    told = json.loads((written / "route.json").read_text())
    for entry in told["routes"]:
        assert entry["phase"] in page
        assert f"{entry['max_utilisation'] * 100:,.1f} %" in page
    first = {(item["fabric"], item["phase"]): item for item in reversed(told["items"])}
    for item in first.values():  # equal ones are folded: the first is the example
        assert item["link"].replace(">", "&gt;") in page
    for item in told["items"]:
        assert f"{item['utilisation'] * 100:,.1f} %" in page


def test_the_json_form_holds_the_routes_as_they_are(written: Path) -> None:
    """Jobs, limits and links equal those of fabric route."""
    report = json.loads((written / "r.json").read_text())
    told = json.loads((written / "route.json").read_text())
    assert report["route"]["limits"] == told["limits"]
    assert report["route"]["jobs"] == told["jobs"]


def test_the_page_needs_no_network_and_is_small(written: Path) -> None:
    """No address of anything elsewhere, a policy that forbids it, and less than a megabyte."""
    page = (written / "r.html").read_text(encoding="utf-8")
    assert len(page) < 1_000_000
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)


def test_a_saved_result_gives_the_same_figures(written: Path, tmp_path: Path) -> None:
    """Without routing again."""
    assert run(["report", str(written / "x.fpr"), "-o", str(tmp_path / "s.json"), "-q"]) == 0
    one, other = (json.loads(path.read_text()) for path in (written / "r.json", tmp_path / "s.json"))
    assert one["route"]["limits"] == other["route"]["limits"]
    assert one["route"]["jobs"] == other["route"]["jobs"]


def test_the_same_result_gives_the_same_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fixed date."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("a", "b"):
        assert run(["report", QUICKSTART, "-o", str(tmp_path / f"{name}.html"), "-q"]) == 0
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """A name that would close a script and load a picture."""
    path = tmp_path / "x.fabric.yaml"
    text = Path(QUICKSTART).read_text(encoding="utf-8")
    name = "'</script><img src=x onerror=alert(1)>'"
    path.write_text(text.replace("name: quickstart", f"name: {name}"), encoding="utf-8")
    assert run(["report", str(path), "-o", str(tmp_path / "x.html"), "-q"]) == 0
    assert "<img" not in (tmp_path / "x.html").read_text(encoding="utf-8")


def test_a_base_is_compared_and_sections_are_chosen(tmp_path: Path) -> None:
    """--base adds what changed; an unknown section and change without a base are refused."""
    out = str(tmp_path / "x.md")
    path = tmp_path / "down.fabric.yaml"
    path.write_text(f"version: 1\nname: down\ninclude: [{Path(QUICKSTART).resolve()}]\ndown: [spine0]\n")
    assert run(["report", str(path), "--base", QUICKSTART, "-o", out, "-q"]) == 0
    text = Path(out).read_text(encoding="utf-8")
    assert "454.7 %" in text
    assert "227.4 %" in text
    assert run(["report", QUICKSTART, "--sections", "verdict", "-o", out, "--force", "-q"]) == 0
    assert run(["report", QUICKSTART, "--sections", "nosuch", "-o", out, "--force"]) == 3
    assert run(["report", QUICKSTART, "--sections", "change", "-o", out, "--force"]) == 3
