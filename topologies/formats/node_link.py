"""``node-link``: JSON of NetworkX's ``node_link_data``; attributes as in ``topologies.networkx_adapter``."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from topologies.errors import FormatError, TopologyError
from topologies.format_registry import TopologyFormat, both_ways
from topologies.networkx_adapter import from_networkx, to_networkx
from topologies.text_input import Findings, read_text, shown
from topologies.topology import Topology


def _read(path: Path, findings: Findings) -> Topology:
    import networkx as nx

    text = read_text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", None), getattr(error, "colno", None)
        raise FormatError(f"not JSON: {error}", file=str(path), line=line, column=column, code="FP6003") from error
    lists = data if isinstance(data, dict) else {}
    edges = next((key for key in ("edges", "links") if isinstance(lists.get(key), list)), None)
    if edges is None or not isinstance(data.get("nodes"), list):
        hint = "node_link_data of NetworkX writes nodes and edges (or links)"
        raise FormatError("no lists of nodes and edges", file=str(path), line=1, hint=hint, code="FP6004")
    nodes, known = [], set()
    for index, node in enumerate(data["nodes"]):
        key = node.get("id") if isinstance(node, dict) else None
        if not isinstance(key, (str, int)) or key in known:
            what = f"two nodes have the id {shown(key)}" if isinstance(key, (str, int)) else "a node without id"
            findings.add(f"nodes[{index}]: {what}", code="FP6007", line=_line(text, "nodes", index))
            continue
        known.add(key)
        nodes.append(node)
    data["nodes"] = nodes
    listed = data[edges]
    data[edges] = [
        edge for index, edge in enumerate(listed) if _sound(edge, f"{edges}[{index}]", known, findings, text, index)
    ]
    if len(data[edges]) < len(listed):  # what names the other direction of a cable may be gone
        data[edges] = [{key: value for key, value in edge.items() if key != "reverse"} for edge in data[edges]]
    data["multigraph"] = True
    try:
        graph = nx.node_link_graph(data, edges=edges, multigraph=True)
        name, kind = graph.graph.get("name") or path.stem, graph.graph.get("kind") or "file"
        return from_networkx(graph, name=str(name), kind=str(kind))
    except TopologyError as error:
        raise FormatError(replace(problem, file=str(path)) for problem in error.problems) from error
    except (nx.NetworkXError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"not node-link data: {error!r}", file=str(path), code="FP6003") from error


def _sound(edge: Any, place: str, known: set[Any], findings: Findings, text: str, index: int) -> bool:
    """Whether an edge joins two nodes at a capacity."""
    message, code, hint = "", "FP6006", ""
    if not isinstance(edge, dict) or "source" not in edge or "target" not in edge:
        message, code = "an edge has source and target", "FP6004"
    elif edge["source"] == edge["target"]:
        message, code = f"{edge['source']} is cabled to itself", "FP6007"
    elif lost := [edge[end] for end in ("source", "target") if edge[end] not in known]:
        message, hint = f"{shown(lost[0])} is not a node", "declare the node, or remove the edge"
    else:
        gbps = edge.get("capacity_gbps")
        if not isinstance(gbps, (int, float)) or isinstance(gbps, bool) or not math.isfinite(gbps) or gbps < 0:
            message, code = f"capacity_gbps is {shown(gbps)}", "FP6005"
            hint = "Gbps for one direction, a number from 0 up"
    if message:
        findings.add(f"{place}: {message}", code=code, line=_line(text, place.partition("[")[0], index), hint=hint)
    return not message


def _line(text: str, key: str, index: int) -> int | None:
    """Line where element ``index`` of a list begins, by scanning the objects after its key."""
    place = text.find(f'"{key}"')
    if place < 0:
        return None
    decoder = json.JSONDecoder()
    place = text.find("[", place) + 1
    for _ in range(index):
        while text[place] in " \t\r\n,":
            place += 1
        _, place = decoder.raw_decode(text, place)
    while text[place] in " \t\r\n,":
        place += 1
    return text.count("\n", 0, place) + 1


def write(topology: Topology, path: Path) -> None:
    """Write node-link data with every column; what is not known is left out."""
    import networkx as nx

    graph = to_networkx(topology)
    data = nx.node_link_data(graph, edges="edges")
    for rows in (data["nodes"], data["edges"]):
        for row in rows:
            for key in [key for key, value in row.items() if isinstance(value, float) and not math.isfinite(value)]:
                del row[key]
    lines = {key: json.dumps(value, ensure_ascii=False) for key, value in data.items() if key not in ("nodes", "edges")}
    for key in ("nodes", "edges"):
        lines[key] = "[\n" + ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in data[key]) + "\n ]"
    path.write_text("{\n" + ",\n".join(f' "{key}": {text}' for key, text in lines.items()) + "\n}\n", encoding="utf-8")


read, read_sound = both_ways(_read)
SUMMARY = "JSON of NetworkX's node_link_data"
FORMAT = TopologyFormat("node-link", (), read, write, read_sound)
