"""Compiled: failure cases of hashed flows, each as differences to the state before.

A flow moves only where its path crosses a link that is dead in the case: every node on its way is else as far from the
destination as before, and its pick still leads on. Switches that hash whole groups anew also move the flows at every
node whose group loses a member. Those flows are taken off their paths and walk again; all that is measured after a case
are the links that this changes, and the fullest of all others. Amounts are whole numbers, so that what is taken off and
put back is exactly nothing.
"""

from __future__ import annotations

import numpy as np

from fabric.failures.hashed_columns import (
    AFFECTED,
    DEAD,
    LOST_PAIRS,
    ROWS,
    TOUCHED,
    TRAIL,
    Answers,
    FlowColumns,
    Harm,
    HashRule,
    Routes,
    Scratch,
    Wires,
)
from fabric.failures.hashed_walk import choose, measure
from fabric.routing.compiled import compiled_in_place, inlined
from fabric.routing.kernels import is_step
from fabric.routing.utilisation import OVER, SAME
from topologies.columns import Floats, Ints, Longs


@inlined
def _touch(link: int, now: Scratch) -> None:
    """Remember that a link changes."""
    if now.link_seen[link] != now.epoch[0]:
        now.link_seen[link] = now.epoch[0]
        now.touched[now.counts[TOUCHED]] = link
        now.counts[TOUCHED] += 1


@inlined
def _affect(flow: int, now: Scratch) -> None:
    """Remember that a flow walks again."""
    if now.flow_seen[flow] != now.epoch[0]:
        now.flow_seen[flow] = now.epoch[0]
        now.affected[now.counts[AFFECTED]] = flow
        now.counts[AFFECTED] += 1


@inlined
def _kill(link: int, wires: Wires, routes: Routes, now: Scratch) -> None:
    """Take down a link, and its cable's other direction; flows on them are affected."""
    for way in (link, wires.reverse[link]):
        if way >= 0 and routes.up[way] and now.dead_in[way] != now.epoch[0]:
            now.dead_in[way] = now.epoch[0]
            now.dead[now.counts[DEAD]] = way
            now.counts[DEAD] += 1
            for at in range(routes.list_start[way], routes.list_start[way + 1]):
                _affect(routes.listed[at], now)


@inlined
def _lose_hop(row: int, node: int, routes: Routes, rule: HashRule, now: Scratch) -> bool:
    """A node's group towards a destination loses a member; whether it was the last."""
    if not rule.resilient and now.hops[row, node] == routes.hops[row, node]:
        cell = row * now.hops.shape[1] + node
        for at in range(routes.visit_start[cell], routes.visit_start[cell + 1]):
            _affect(routes.visits[at], now)
    now.hops[row, node] -= 1
    return bool(now.hops[row, node] == 0)


@compiled_in_place
def _prepare(row: int, wires: Wires, rule: HashRule, routes: Routes, now: Scratch) -> None:
    """Count the next hops that are left towards a destination, where the case takes any."""
    case = now.epoch[0]
    if now.row_seen[row] == case:
        return
    now.row_seen[row] = case
    now.rows[now.counts[ROWS]] = row
    now.counts[ROWS] += 1
    distance, filled = routes.now[row], 0
    for at in range(now.counts[DEAD]):
        link = now.dead[at]
        tail, head = wires.link_tail[link], wires.link_head[link]
        if tail < 0 or distance[head] == np.inf:
            continue
        if not is_step(distance[head], distance[tail], wires.link_weight[link], wires.equal):
            continue
        if _lose_hop(row, tail, routes, rule, now):
            now.queue[filled] = tail
            filled += 1
    done = 0
    while done < filled and not rule.frozen:
        node = now.queue[done]
        done += 1
        for slot in range(wires.in_start[node], wires.in_start[node + 1]):
            link, tail = wires.in_link[slot], wires.tail[slot]
            if not routes.up[link] or now.dead_in[link] == case or distance[tail] == np.inf:
                continue
            if not is_step(distance[node], distance[tail], wires.in_weight[slot], wires.equal):
                continue
            if _lose_hop(row, tail, routes, rule, now):
                now.queue[filled] = tail
                filled += 1


@inlined
def _add(link: int, sign: int, amount: int, carries: int, now: Scratch) -> None:
    """Put a flow on a link, or take it off."""
    _touch(link, now)
    now.load[link] += amount
    for job in range(now.carried.shape[1]):
        if carries >> job & 1:
            now.carried[link, job] += sign


@inlined
def _lose(flow: int, sign: int, flows: FlowColumns, now: Scratch) -> None:
    """Count a flow that does not arrive, or no longer."""
    pair = flows.pair[flow]
    before = now.lost_of_pair[pair]
    now.lost_of_pair[pair] += sign
    now.counts[LOST_PAIRS] += (before + sign > 0) - (before > 0)
    for job in range(len(now.lost_of_job)):
        if flows.cuts[flow] >> job & 1:
            now.lost_of_job[job] += sign


@inlined
def _walk(flow: int, wires: Wires, flows: FlowColumns, rule: HashRule, routes: Routes, now: Scratch) -> bool:
    """Write a flow's path in the case to ``trail``; whether it arrives."""
    case, row, node = now.epoch[0], flows.row[flow], flows.src[flow]
    first_link, last_link, dest = flows.up_link[flow], flows.down_link[flow], flows.dest[flows.row[flow]]
    last_dead = last_link >= 0 and (not routes.up[last_link] or now.dead_in[last_link] == case)
    lost = first_link >= 0 and (not routes.up[first_link] or now.dead_in[first_link] == case)
    lost = lost or (last_dead and not rule.frozen)
    now.counts[TRAIL] = 0
    if not lost and node != dest and now.row_seen[row] != case:
        _prepare(row, wires, rule, routes, now)
    distance, hops = routes.now[row], now.hops[row]
    if rule.frozen:
        hops = hops[:0]
    while not lost and node != dest:
        if len(hops) > 0 and hops[node] == 0:
            if now.fresh_of[0] != case or now.fresh_of[1] != row:
                measure(dest, wires, routes.up, now.dead_in, case, now.fresh, now.queue)
                now.fresh_of[0], now.fresh_of[1] = case, row
            distance, hops = now.fresh, hops[:0]
        lost = distance[node] == np.inf
        if not lost:
            if now.counts[TRAIL] == 0 and first_link >= 0:
                now.trail[0] = first_link
                now.counts[TRAIL] = 1
            slot = choose(
                node,
                row,
                flows.key[flow],
                wires,
                rule,
                routes.up,
                now.dead_in,
                case,
                distance,
                routes.whole[row],
                hops,
                routes.group_start,
                routes.group,
                now.slots,
            )
            lost = slot < 0
            if not lost:
                now.trail[now.counts[TRAIL]] = wires.out_link[slot]
                now.counts[TRAIL] += 1
                node = wires.head[slot]
    if not lost and now.counts[TRAIL] == 0 and first_link >= 0:
        now.trail[0] = first_link
        now.counts[TRAIL] = 1
    if not lost and not last_dead and last_link >= 0:
        now.trail[now.counts[TRAIL]] = last_link
        now.counts[TRAIL] += 1
    return not (lost or last_dead)


@inlined
def _move(flow: int, flows: FlowColumns, routes: Routes, now: Scratch) -> None:
    """Take a flow off its path and put it on its ``trail``; the links that both begin or end with keep it."""
    first, last, length = routes.path_start[flow], routes.path_start[flow + 1], now.counts[TRAIL]
    at = 0
    while first < last and at < length and routes.path[first] == now.trail[at]:
        first += 1
        at += 1
    while first < last and at < length and routes.path[last - 1] == now.trail[length - 1]:
        last -= 1
        length -= 1
    for step in range(first, last):
        _add(routes.path[step], -1, -flows.amount[flow], flows.carries[flow], now)
    for step in range(at, length):
        _add(now.trail[step], 1, flows.amount[flow], flows.carries[flow], now)


@inlined
def _slow(first: int, last: int, harm: Harm, routes: Routes, now: Scratch) -> None:
    """Take from links a part of their capacity."""
    for at in range(first, last):
        link = harm.slow[at]
        if routes.up[link] and now.dead_in[link] != now.epoch[0]:
            _touch(link, now)
            now.capacity[link] *= harm.left[at]


@compiled_in_place
def _sort(values: Ints, count: int) -> None:
    """Put the first ``count`` values in order, in place (Shell's method with Ciura's gaps)."""
    for gap in (701, 301, 132, 57, 23, 10, 4, 1):
        for at in range(gap, count):
            value, place = values[at], at
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value


@compiled_in_place
def _spread(wires: Wires, flows: FlowColumns, rule: HashRule, routes: Routes, now: Scratch) -> None:
    """Let all affected flows walk again."""
    if not rule.resilient and now.counts[DEAD] > 0:
        for row in range(len(flows.dest)):
            _prepare(row, wires, rule, routes, now)
    count = now.counts[AFFECTED]
    _sort(now.affected, count)
    for at in range(count):
        flow = now.affected[at]
        lost = not _walk(flow, wires, flows, rule, routes, now)
        _move(flow, flows, routes, now)
        if lost != routes.lost[flow]:
            _lose(flow, 1 if lost else -1, flows, now)


@inlined
def _rank(link: int, value: float, case: int, worst: Floats, cases: Longs) -> None:
    """Put a case among the worst of a link; of equals the earlier stays first."""
    place = worst.shape[1] - 1
    while place > 0 and worst[link, place - 1] < value:
        worst[link, place], cases[link, place] = worst[link, place - 1], cases[link, place - 1]
        place -= 1
    worst[link, place], cases[link, place] = value, case


@inlined
def _take(link: int, value: float, case: int, routes: Routes, answers: Answers) -> None:
    """Take in how full a link is in a case, where that is not as intact."""
    if value < answers.floor[link] or value <= answers.worst[link, answers.worst.shape[1] - 1]:
        return
    intact = routes.intact[link]
    if abs(value - intact) > SAME * max(value, intact):
        _rank(link, value, case, answers.worst, answers.case)


@compiled_in_place
def _answer(row: int, number: int, routes: Routes, now: Scratch, answers: Answers) -> None:
    """Measure the links that changed, and the fullest of the others."""
    case, top, over = now.epoch[0], 0.0, routes.over
    jobs = now.carried.shape[1]
    for at in range(now.counts[TOUCHED]):
        link = now.touched[at]
        value = now.load[link] / now.capacity[link] if now.load[link] > 0 else 0.0
        now.value[at] = value
        over += (value > OVER) - (routes.utilisation[link] > OVER)
        top = max(top, value)
        for job in range(jobs):
            if now.carried[link, job] > 0:
                answers.peak[row, job] = max(answers.peak[row, job], value)
        if now.dead_in[link] != case:
            _take(link, value, number, routes, answers)
    hottest = -1
    for link in routes.order:
        if now.link_seen[link] != case:
            if routes.utilisation[link] >= top * (1 - SAME):
                hottest = link
            top = max(top, routes.utilisation[link])
            break
    for at in range(now.counts[TOUCHED]):
        link = now.touched[at]
        if now.value[at] > 0 and now.value[at] >= top * (1 - SAME) and (hottest < 0 or link < hottest):
            hottest = link
    for job in range(jobs):
        for at in range(routes.job_start[job], routes.job_start[job + 1]):
            link = routes.job_order[at]
            if now.link_seen[link] != case:
                answers.peak[row, job] = max(answers.peak[row, job], routes.utilisation[link])
                break
        answers.cut[row, job] = now.lost_of_job[job] > 0
    for link in routes.unlike:
        if now.link_seen[link] != case and now.dead_in[link] != case:
            _take(link, routes.utilisation[link], number, routes, answers)
    answers.max_utilisation[row], answers.hottest[row] = top, hottest
    answers.links_over_capacity[row] = over
    answers.unreachable_pairs[row] = routes.lost_pairs + now.counts[LOST_PAIRS]


@inlined
def _restore(flows: FlowColumns, routes: Routes, now: Scratch) -> None:
    """Undo the case."""
    for at in range(now.counts[TOUCHED]):
        link = now.touched[at]
        now.load[link], now.capacity[link] = routes.load[link], routes.capacity[link]
        for job in range(len(now.lost_of_job)):
            now.carried[link, job] = routes.carried[link, job]
    for at in range(now.counts[AFFECTED]):
        pair = flows.pair[now.affected[at]]
        now.lost_of_pair[pair] = routes.lost_of_pair[pair]
    for job in range(len(now.lost_of_job)):
        now.lost_of_job[job] = routes.lost_of_job[job]
    for at in range(now.counts[ROWS]):
        row = now.rows[at]
        for node in range(now.hops.shape[1]):
            now.hops[row, node] = routes.hops[row, node]
    now.counts[:] = 0


@inlined
def _case(
    one: int,
    two: int,
    row: int,
    number: int,
    wires: Wires,
    flows: FlowColumns,
    rule: HashRule,
    routes: Routes,
    harm: Harm,
    now: Scratch,
    answers: Answers,
) -> None:
    """What cases ``one`` and ``two`` of the damage, unless that is -1, come to together."""
    now.epoch[0] += 1
    for part in (one, two):
        if part >= 0:
            for at in range(harm.start[part], harm.start[part + 1]):
                _kill(harm.dead[at], wires, routes, now)
    for part in (one, two):
        if part >= 0:
            _slow(harm.slow_start[part], harm.slow_start[part + 1], harm, routes, now)
    _spread(wires, flows, rule, routes, now)
    _answer(row, number, routes, now, answers)
    _restore(flows, routes, now)


@compiled_in_place
def sweep_cases(
    first: int,
    last: int,
    base: int,
    number: int,
    paired: bool,
    before: int,
    wires: Wires,
    flows: FlowColumns,
    rule: HashRule,
    routes: Routes,
    harm: Harm,
    now: Scratch,
    answers: Answers,
) -> None:
    """Cases ``first`` to ``last`` of the damage, alone or ``paired`` with every later one.

    Case ``before``, unless that is -1, is done before each. Rows of the answers start with those of case ``base``,
    numbered from ``number`` on.
    """
    count = len(harm.start) - 1
    row = first - base
    if paired:
        row = row * (count - 1) - (first * (first - 1) - base * (base - 1)) // 2
    for one in range(first, last):
        for other in range(one + 1 if paired else count - 1, count):
            two = other if paired else before
            _case(one, two, row, number + row, wires, flows, rule, routes, harm, now, answers)
            row += 1
