"""``labels``: labels of Kubernetes nodes, by a profile of keys, for any scheduler that reads them.

``nodes.json`` is a list of nodes with nothing but names and labels; ``label-nodes.sh`` gives them to nodes that exist.
The labels say names of groups: nodes with the same value are in the same group.

References
----------
Kubernetes, "Labels and Selectors"; the pages of ``label_keys``.
"""

from __future__ import annotations

from collections.abc import Iterator

from fabric.share.schedulers.format import SchedulerFormat, SchedulerPlan, TextFile
from fabric.share.schedulers.node_labels import label_facts, label_files, label_names, label_notes, read_labels

SUMMARY = "labels of Kubernetes nodes by level, with the keys of topograph, Kueue or your own"
ORDER = 50


def _write(plan: SchedulerPlan) -> Iterator[TextFile]:
    for fabric in plan.trees:
        yield from label_files(plan, fabric)


FORMAT = SchedulerFormat(
    write=_write,
    facts=label_facts,
    read=read_labels,
    names=label_names,
    read_by="kubectl 1.20 and later",
    takes=("labels",),
    notes=label_notes,
)
