"""Schedules of pipelines: closed forms against an event simulation of every order."""

from __future__ import annotations

import numpy as np
import pytest
from pipeline_orders import (
    around,
    down_and_up,
    dualpipe_orders,
    from_both_ends,
    interleaved_orders,
    simulate,
    warm_up_orders,
    zb_v_orders,
    zero_bubble_orders,
)

from topologies.errors import TrafficError
from traffic.training.schedule import Schedule, pipeline_schedule

SIZES = ((2, 8), (3, 9), (4, 8), (4, 16), (8, 16), (8, 32))


def simulated(name, p, m, v=1, send=0.0, backward=1):
    """The schedule's order run event by event; ``backward`` is the time of the gradients of inputs."""
    took = {"F": 1.0, "B": backward + 1.0, "b": float(backward), "W": 1.0, "X": backward + 2.0}
    if name in ("zb-h1", "zb-h2", "zb-v"):
        took["B"] = float(backward)
    if name == "interleaved":
        return simulate(interleaved_orders(p, v, m), around(p, v), took, send=send, chunks=v)
    if name == "dualpipe":
        return simulate(dualpipe_orders(p, m), from_both_ends(p), took, send=send)
    if name == "zb-v":
        return simulate(zb_v_orders(p, m), down_and_up(p), took, send=send, chunks=2)
    if name in ("zb-h1", "zb-h2"):
        orders = zero_bubble_orders(p, m, {"zb-h1": 1, "zb-h2": 2}[name])
    else:
        warm_up = {"gpipe": lambda s: m, "1f1b": lambda s: p - s - 1, "eager-1f1b": lambda s: 2 * (p - s - 1)}[name]
        orders = warm_up_orders(p, m, warm_up)
    return simulate(orders, around(p, 1), took, send=send)


def cases():
    for name in ("gpipe", "1f1b", "eager-1f1b", "zb-h1", "zb-h2"):
        for p, m in SIZES:
            if m >= 2 * p - 1:
                yield name, p, m, 1
    for p, m, v in ((2, 8, 2), (4, 8, 2), (4, 16, 4), (8, 32, 2), (8, 8, 2), (4, 4, 3)):
        yield "interleaved", p, m, v
    for p, m in ((2, 4), (4, 8), (4, 16), (8, 20), (8, 32), (16, 32)):
        yield "dualpipe", p, m, 1


@pytest.mark.parametrize(("name", "p", "m", "v"), cases())
def test_bubble_and_activations_kept_are_those_of_the_order_run_event_by_event(name, p, m, v):
    """Idle time over 3·m units of forward, backward and weights; the most micro-batches a stage has open."""
    schedule, run = Schedule(name, p, v, m), simulated(name, p, m, v)
    assert schedule.bubble.value == pytest.approx(run.idle / (3 * m), abs=1e-9)
    if name == "dualpipe":  # the two stages in the middle keep one more than the others
        assert schedule.in_flight(p // 2) * 2 == max(run.in_flight) == p + 1
    else:
        assert [schedule.in_flight(stage) for stage in range(p)] == run.in_flight


@pytest.mark.parametrize(("name", "p", "m", "v"), cases())
def test_sends_that_the_step_waits_for_are_those_that_lengthen_the_simulated_one(name, p, m, v):
    """Every send takes a thousandth of a forward pass; what the run is longer by is the sends nothing hides."""
    send = 1e-3
    waited = (simulated(name, p, m, v, send).idle - simulated(name, p, m, v).idle) / send
    stated = Schedule(name, p, v, m).waits.value
    assert stated == pytest.approx(waited, abs=1e-6)


@pytest.mark.parametrize(("p", "m"), [(4, 8), (4, 16), (8, 16), (8, 32)])
@pytest.mark.parametrize("name", ["zb-h1", "zb-h2", "dualpipe"])
def test_a_forward_pass_run_again_lengthens_the_backward_pass_and_so_the_bubble(name, p, m):
    """Under full recompute F 1, B 2, W 1; DualPipe's own figure is one W above its order."""
    schedule = Schedule(name, p, 1, m, recomputed=True)
    shown = simulated(name, p, m, backward=2).idle
    stated = schedule.bubble.value * 4 * m
    assert stated == pytest.approx(shown + (1 if name == "dualpipe" else 0))


@pytest.mark.parametrize(("p", "m"), [(2, 4), (3, 8), (4, 8), (4, 24), (6, 12), (8, 32)])
def test_zb_v_leaves_no_bubble_with_the_activations_of_1f1b_and_waits_for_most_of_its_sends(p, m):
    """Qi et al., section 6; the order has no slack, so that nearly every send of a neighbour is waited for."""
    schedule = Schedule("zb-v", p, 2, m)
    idle = simulated("zb-v", p, m).idle
    assert schedule.bubble.value == pytest.approx(idle, abs=1e-9)
    assert schedule.in_flight(0) == p
    waited = (simulated("zb-v", p, m, send=1e-3).idle - idle) / 1e-3
    assert schedule.waits.value / 2 <= waited <= 1.05 * schedule.waits.value


@pytest.mark.parametrize(("p", "m"), [(2, 8), (4, 8), (8, 32)])
def test_sends_of_the_busiest_stage_are_counted_from_the_order(p, m):
    """Operations whose successor is on another stage, counted stage by stage."""
    for name, v in (("1f1b", 1), ("interleaved", 2), ("zb-v", 2), ("dualpipe", 1)):
        orders, before = {
            "1f1b": (warm_up_orders(p, m, lambda s: p - s - 1), around(p, 1)),
            "interleaved": (interleaved_orders(p, 2, m), around(p, 2)),
            "zb-v": (zb_v_orders(p, m), down_and_up(p)),
            "dualpipe": (dualpipe_orders(p, m), from_both_ends(p)),
        }[name]
        sent = np.zeros(p)
        for stage, order in enumerate(orders):
            parts = [part for op in order for part in (op[1:] if op[0] == "X" else [op])]
            for kind, *rest in parts:
                if kind != "W":
                    needed = before(stage, ("B" if kind == "b" else kind, *rest))
                    if needed is not None and needed[0] != stage:
                        sent[needed[0]] += 1
        assert Schedule(name, p, v, m).sends == sent.max(), name


@pytest.mark.parametrize(
    ("name", "p", "v", "m", "reason"),
    [
        (
            "interleaved",
            4,
            2,
            6,
            r"parallelism.schedule: interleaved over 4 stages takes a multiple of 4 micro-batches",
        ),
        (None, 4, 2, 6, r"parallelism.vpp: interleaved over 4 stages"),
        ("interleaved", 4, None, 8, r"parallelism.vpp: the interleaved schedule has several chunks"),
        ("1f1b", 4, 2, 8, r"parallelism.vpp: vpp is 2; 1f1b does not cut a stage's layers into chunks"),
        ("zb-v", 4, 1, 8, r"parallelism.vpp: vpp is 1; zb-v has two chunks"),
        ("zb-v", 4, 4, 8, r"parallelism.vpp: vpp is 4; zb-v has two chunks"),
        ("zb-h1", 4, None, 3, r"takes at least 4 micro-batches, and a pipeline has 3"),
        ("zb-h2", 4, None, 6, r"takes at least 7 micro-batches, and a pipeline has 6"),
        ("dualpipe", 3, None, 8, r"parallelism.pp: dualpipe pairs the stages, and pp is 3"),
        ("dualpipe", 4, None, 7, r"takes at least 8 micro-batches"),
        ("dualpipe", 4, None, 9, r"takes a multiple of 2 micro-batches"),
        ("dualpipe", 4, 2, 8, r"parallelism.vpp: vpp is 2; dualpipe does not cut"),
        ("gpipe", 1, None, 8, r"parallelism.schedule: schedule is gpipe, but there is one pipeline stage"),
    ],
)
def test_a_schedule_that_does_not_run_with_the_stages_is_refused_with_a_way_out(name, p, v, m, reason):
    """FP4027, at the key that is wrong."""
    with pytest.raises(TrafficError, match=reason) as refused:
        pipeline_schedule(name, p, v, m)
    (problem,) = refused.value.problems
    assert problem.code == "FP4027"
    assert problem.hint


def test_defaults_are_1f1b_and_interleaved_by_chunks():
    """As before there was a key."""
    assert pipeline_schedule(None, 4, None, 3).name == "1f1b"
    assert pipeline_schedule(None, 4, 2, 8).name == "interleaved"
    assert pipeline_schedule("zb-v", 4, None, 8).chunks == 2


@pytest.mark.parametrize(("p", "m"), [(3, 7), (4, 6), (4, 7), (8, 12), (8, 20), (5, 23)])
def test_sends_of_1f1b_are_within_two_where_stages_do_not_divide_the_micro_batches(p, m):
    """The closed form counts rounds of p micro-batches, the last of which may be a part."""
    waited = (simulated("1f1b", p, m, send=1e-3).idle - simulated("1f1b", p, m).idle) / 1e-3
    assert Schedule("1f1b", p, 1, m).waits.value == pytest.approx(waited, abs=2)
