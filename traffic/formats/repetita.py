"""``repetita``: the ``.demands`` text files of the REPETITA traffic-engineering collection.

    DEMANDS 2
    label src dest bw
    demand_0 0 1 38292
    demand_1 1 0 4021

``src`` and ``dest`` count the nodes of the topology from 0, ``bw`` is kbit/s unless the scenario gives another unit.

References
----------
Gay, Schaus, Vissicchio, "REPETITA", arXiv 1710.08665, 2017.
"""

from __future__ import annotations

from pathlib import Path

from topologies.reading.fields import HARMLESS, MODELLED, DeclaredFields, Field
from topologies.reading.text_input import Findings, read_text, shown, words_of
from topologies.registry import Injected
from topologies.topology import Topology
from traffic.demand_rows import GBPS_OF, RowReader
from traffic.workload import DEMAND_FORMATS, DemandRows

_HEADER = ("label", "src", "dest", "bw")
FIELDS = DeclaredFields(
    "demand format",
    "repetita",
    "arXiv 1710.08665; github.com/svissicchio/Repetita, data",
    [
        Field("DEMANDS", MODELLED, "number of rows; another one is an error"),
        Field("label", HARMLESS, "name of the demand"),
        Field("src", MODELLED, "number of the node that sends, from 0"),
        Field("dest", MODELLED, "number of the node that receives, from 0"),
        Field("bw", MODELLED, "rate, kbit/s unless unit says otherwise, which is said; rows of equal pairs add up"),
    ],
    unknown="refused",
)


@DEMAND_FORMATS.register("repetita", example={"path": "net.demands"})
def read_repetita(path: Path, topology: Injected[Topology], unit: str | None = None) -> DemandRows:
    """Read a ``.demands`` file.

    Parameters
    ----------
    path : Path
    topology : Topology
        Whose nodes the numbers mean.
    unit : str, optional
        Unit of ``bw``: kbps (the format's own), Mbps or Gbps.

    Returns
    -------
    DemandRows
        Gbps.

    Raises
    ------
    FormatError
        With file and line; up to 20 problems at once (FP6220 to FP6223).
    """
    findings = Findings(path)
    lines = [(row, words_of(line)) for row, line in enumerate(read_text(path).splitlines(), start=1)]
    rows = [(line, words) for line, words in lines if words]
    title = [word for _, word in rows[0][1]] if rows else []
    if len(title) != 2 or title[0] != "DEMANDS" or not title[1].isdigit():
        found = shown(" ".join(title)) if title else "the end of the file"
        findings.add(f"expected 'DEMANDS n', found {found}", code="FP6220", line=rows[0][0] if rows else 1, column=1)
        findings.finish()
    heading = tuple(word for _, word in rows[1][1]) if len(rows) > 1 else ()
    if heading != _HEADER:
        line = rows[1][0] if len(rows) > 1 else rows[0][0] + 1
        found = shown(" ".join(heading)) if heading else "the end of the file"
        findings.add(f"expected the header '{' '.join(_HEADER)}', found {found}", code="FP6220", line=line, column=1)
        findings.finish()
    body = rows[2:]
    if int(title[1]) != len(body):
        hint = "correct the count, or find the lost row"
        message = f"DEMANDS says {title[1]} rows, {len(body)} follow"
        findings.add(message, code="FP6221", line=rows[0][0], column=rows[0][1][1][0], hint=hint)
    if unit is None:
        findings.note("rates in the file are kbit/s (unit)")
    reader = RowReader(findings, topology, GBPS_OF[unit or "kbps"])
    for line, words in body:
        if len(words) != len(_HEADER):
            message = f"{len(words)} fields, a row has {len(_HEADER)}: {' '.join(_HEADER)}"
            findings.add(message, code="FP6221", line=line, column=1)
            continue
        ends = [reader.numbered(line, *word) for word in words[1:3]]
        reader.add(line, ends[0], ends[1], *words[3])
    return reader.finish()


def write_repetita(demands: DemandRows, path: Path) -> None:
    """Write a ``.demands`` file in kbit/s; nodes become their numbers in the topology."""
    rows = zip(demands.src.tolist(), demands.dst.tolist(), (demands.rate_gbps / GBPS_OF["kbps"]).tolist(), strict=True)
    lines = [f"demand_{row} {src} {dst} {kbps:.17g}\n" for row, (src, dst, kbps) in enumerate(rows)]
    path.write_text(f"DEMANDS {len(lines)}\n{' '.join(_HEADER)}\n" + "".join(lines), encoding="utf-8")
