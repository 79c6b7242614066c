"""Ways over trays, against NetworkX on the same graph."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.site.trays import Trays


@st.composite
def floors(draw: st.DrawFn) -> Trays:
    """Small floors, with rows that have no tray and crossings anywhere."""
    rows, per_row = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    along = draw(st.sets(st.integers(0, rows - 1)))
    cross = draw(st.sets(st.integers(0, per_row - 1)))
    return Trays(rows, per_row, 0.6, 2.4, tuple(sorted(along)), tuple(sorted(cross)))


def graph_of(trays: Trays) -> nx.Graph:
    """The segments as a graph of points."""
    graph = nx.Graph()
    graph.add_nodes_from(range(trays.rows * trays.per_row))
    for piece, (one, two) in enumerate(trays.segments.tolist()):
        length = float(np.abs(trays.point_m[one] - trays.point_m[two]).sum())
        graph.add_edge(one, two, weight=length, piece=piece)
    return graph


@settings(max_examples=120, deadline=None)
@given(floors())
def test_every_way_is_the_shortest_of_the_graph(trays: Trays) -> None:
    """The closed form against Dijkstra, and the pieces of a route add up to it."""
    lengths = dict(nx.all_pairs_dijkstra_path_length(graph_of(trays)))
    points = list(itertools.product(range(trays.rows), range(trays.per_row)))
    for a, b in itertools.product(points, points):
        expected = lengths[trays.point(*a)].get(trays.point(*b), np.inf)
        assert float(trays.distance_m(*a, *b)) == pytest.approx(expected)
        ends = [trays.point_m[trays.segments[piece]] for piece in trays.pieces(a, b)]
        if np.isfinite(expected):
            assert sum(np.abs(one - two).sum() for one, two in ends) == pytest.approx(expected)
        else:
            assert ends == []


def test_a_route_names_its_trays_in_order() -> None:
    """From row 0 place 1 over the crossing at place 3 to row 2 place 2."""
    trays = Trays(3, 4, 0.6, 2.4, (0, 1, 2), (3,))
    assert trays.names((0, 1), (2, 2)) == ("row0/1-3", "cross3/0-2", "row2/3-2")
    names = [trays.segment_names[piece] for piece in trays.pieces((0, 1), (2, 2))]
    assert names == ["row0/1-2", "row0/2-3", "cross3/0-1", "cross3/1-2", "row2/2-3"]


def test_distances_are_a_metric_in_bulk() -> None:
    """Arrays broadcast: the matrix is symmetric, with zeros on its diagonal."""
    trays = Trays(3, 5, 0.6, 2.4, (0, 1, 2), (0, 4))
    rows, places = np.divmod(np.arange(15), 5)
    matrix = trays.distance_m(rows[:, None], places[:, None], rows[None, :], places[None, :])
    assert matrix.shape == (15, 15)
    np.testing.assert_allclose(matrix, matrix.T)
    assert (np.diag(matrix) == 0).all()
    assert (matrix[:, None, :] <= matrix[:, :, None] + matrix[None, :, :] + 1e-9).all()
