"""Distances from one group of every class against distances from every group."""

from __future__ import annotations

import numpy as np
import pytest

from topologies import distances as module
from topologies.alike_groups import AlikeGroups, alike_groups
from topologies.builder import TOPOLOGIES
from topologies.distances import distances


def from_every_group(net, monkeypatch):
    """Distances with every group a class of its own."""
    with monkeypatch.context() as context:
        context.setattr(
            module, "alike_groups", lambda size, *_: AlikeGroups(np.arange(len(size)), size.astype(np.float64))
        )
        return distances(net)


@pytest.mark.parametrize("entry", list(TOPOLOGIES), ids=lambda entry: entry.name)
def test_classes_of_groups_have_the_distances_of_all_groups(entry, monkeypatch):
    """Every builder's example, intact and with a tenth of its cables down."""
    whole = entry(dict(entry.example), hosts=())
    some = np.random.default_rng(4).choice(len(whole.links), max(len(whole.links) // 20, 1), replace=False)
    for net in (whole, whole.with_down(links=some)):
        every, classes = from_every_group(net, monkeypatch), distances(net)
        assert classes.unreachable == every.unreachable
        assert classes.diameter_hops == every.diameter_hops
        for mine, theirs in zip(classes.classes, every.classes, strict=True):
            assert (mine.hops, mine.pairs, mine.least_paths) == (theirs.hops, theirs.pairs, theirs.least_paths)
            assert (mine.mean_paths, mine.most_paths) == (pytest.approx(theirs.mean_paths), theirs.most_paths)


@pytest.mark.parametrize(("down", "classes"), [((), 4), (("pod0/edge0", "pod0/agg0"), 5)])
def test_leaves_of_a_pod_are_one_class_unless_a_link_tells_them_apart(down, classes, monkeypatch):
    """A k=4 fat tree: four pods of two leaves; with a link of one leaf down, the two of its pod are apart."""
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    names = net.nodes.name
    ends = [(names[src], names[dst]) for src, dst in zip(net.links.src, net.links.dst, strict=True)]
    net = net.with_down(links=[ends.index(down)] if down else [])
    found = []

    def kept(*columns):
        found.append(alike_groups(*columns))
        return found[-1]

    monkeypatch.setattr(module, "alike_groups", kept)
    distances(net)
    assert len(found[0].leaders) == classes
    assert found[0].pairs(found[0].leaders).sum() == 16 * 15
