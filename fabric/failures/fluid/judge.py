"""What comes of a case: the fullest link, links over capacity, pairs, jobs; from the links whose load it changes."""

from __future__ import annotations

from typing import NamedTuple

from fabric.failures.fluid.columns import Lines, Marks, Work
from fabric.failures.fluid.cut_ends import TOUCH
from fabric.routing.compiled import compiled_inside
from fabric.routing.utilisation import OVER, SAME
from topologies.columns import Floats, Ints, Longs

NOTHING = 1e-11  # of what a link carried or might carry: what differences leave of a load that is gone


class Ranking(NamedTuple):
    """Links from the fullest on, of all traffic (0) and of every job's; equally full ones by number."""

    start: Longs  # shape (J + 2,)
    link: Ints
    of_job: Marks  # shape (J, C), classes whose links a job waits for
    hurts: Marks  # shape (J, C), classes that cut the job where they lose pairs
    over: int  # links over capacity, intact
    pairs: int  # without a path, intact
    cut: Marks  # shape (J,), jobs cut, intact


class Answers(NamedTuple):
    """Columns of ``Outcomes``, and of ``LinkWorst``."""

    full: Floats
    hottest: Ints
    over: Ints
    pairs: Longs
    peak: Floats
    cut: Marks
    worst: Floats
    cause: Longs


@compiled_inside
def settle_loads(lines: Lines, work: Work) -> None:
    """Loads and utilisation of touched links; what differences leave of nothing is nothing."""
    columns = work.delta.shape[1]
    for at in range(work.sizes[TOUCH]):
        link = work.link[at].touch
        room = 0.0
        for code in range(columns):
            before = lines.gbps[link, code]
            after = 0.0 if work.link[link].dead else before + work.delta[link, code]
            if after <= NOTHING * (before + abs(work.delta[link, code])):
                after = 0.0
            work.delta[link, code] = after
            if code < lines.classes:
                room += after
        if lines.sprayed and lines.link[link].core:
            room += max(room - work.delta[link, columns - 1], 0.0) * lines.extra
        work.link[link].room = room / (lines.link[link].capacity * work.link[link].left) if room > 0.0 else 0.0


@compiled_inside
def _fullest(lines: Lines, ranking: Ranking, work: Work, job: int) -> tuple[float, int]:
    """Highest utilisation of a job's links, or of all with job -1, and the first link that has it; -1 for none."""
    best, first = 0.0, -1
    for place in range(ranking.start[job + 1], ranking.start[job + 2]):
        link = ranking.link[place]
        if work.link[link].touched == 0:
            best, first = lines.link[link].utilisation, link
            break
    top = best
    for at in range(work.sizes[TOUCH]):
        link = work.link[at].touch
        if work.link[link].room <= top * (1.0 - SAME) or work.link[link].room == 0.0:
            continue
        carried = job < 0
        for code in range(lines.classes if not carried else 0):
            if ranking.of_job[job, code] and work.delta[link, code] > 0.0:
                carried = True
        if not carried:
            continue
        top = max(top, work.link[link].room)
    if job >= 0 or top == 0.0:
        return top, first
    if first >= 0 and best < top * (1.0 - SAME):
        first = -1
    for at in range(work.sizes[TOUCH]):
        link = work.link[at].touch
        if work.link[link].room >= top * (1.0 - SAME) and (first < 0 or link < first):
            first = link
    return top, first


@compiled_inside
def _enter_worst(answers: Answers, case: int, link: int, value: float) -> None:
    """Keep a case among the worst of a link if it is one of them."""
    row, cases = answers.worst[link], answers.cause[link]
    place = len(row)
    while place > 0 and (row[place - 1] < value or (row[place - 1] == value and cases[place - 1] > case)):
        place -= 1
    if place == len(row):
        return
    for at in range(len(row) - 1, place, -1):
        row[at], cases[at] = row[at - 1], cases[at - 1]
    row[place], cases[place] = value, case


@compiled_inside
def judge(lines: Lines, ranking: Ranking, work: Work, answers: Answers, case: int, number: int) -> None:
    """Fill in the answers of a case."""
    settle_loads(lines, work)
    over = ranking.over
    for at in range(work.sizes[TOUCH]):
        link = work.link[at].touch
        before, after = lines.link[link].utilisation, work.link[link].room
        over += int(after > OVER) - int(before > OVER)
        if work.link[link].dead == 0 and abs(after - before) > SAME * max(after, before):
            _enter_worst(answers, number, link, after)
    answers.over[case] = over
    answers.full[case], answers.hottest[case] = _fullest(lines, ranking, work, -1)
    answers.pairs[case] = ranking.pairs + work.hurt.sum()
    for job in range(len(ranking.cut)):
        answers.peak[case, job], _ = _fullest(lines, ranking, work, job)
        answers.cut[case, job] = ranking.cut[job]
        for code in range(lines.classes):
            if ranking.hurts[job, code] and work.hurt[code] > 0:
                answers.cut[case, job] = 1
