"""From a run of nccl-tests to the test that predicts it: its operation, its sizes, its ranks and where they sat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fabric.expect.ranks import ranks_of
from fabric.expect.request import ExpectRequest
from fabric.pipeline.network import Network
from fabric.scenario.load import LoadedScenario
from topologies.errors import FormatError
from traffic.bare_collective import OPERATIONS
from traffic.nccl_tests.run import Run
from traffic.occupancy import Occupancy


def request_of(
    run: Run, asked: ExpectRequest, loaded: LoadedScenario, network: Network, notes: list[str]
) -> ExpectRequest:
    """The test to predict.

    Parameters
    ----------
    asked : ExpectRequest
        What the command line says besides the log: the group, the fabric, the library's keys, the mark.
    notes : list of str
        What is taken for granted is added.

    Raises
    ------
    FormatError
        FP6273 where the run is not one that this scenario can predict, at the line of the log.
    """
    name = run.operation.name
    if name not in OPERATIONS:
        raise _cannot(run, f"{run.operation.program}_perf is not predicted", f"a log of {', '.join(OPERATIONS)}")
    if run.groups > 1:
        raise _cannot(
            run,
            f"{run.groups} communicators ran at a time (NCCL_TESTS_SPLIT), and one is predicted",
            "a run of all its ranks, or of one group alone",
        )
    ranks = _ranks(run, asked, notes)
    sizes = tuple(sorted({float(row.size_bytes) for row in run.rows}))
    wanted = replace(asked, collectives=(name,), sizes_bytes=sizes, ranks=ranks)
    if asked.placement or asked.job is not None or asked.places is not None:
        return wanted
    everyone = ranks_of(loaded, network, replace(asked, ranks=None), Occupancy())
    group, fabric = everyone.group, everyone.seats.fabric
    hosts, per_host = network.inventory.host_names(fabric, group), network.inventory.gpus_per_host(group)
    if ranks is not None and ranks > len(hosts) * per_host:
        raise _cannot(
            run,
            f"the run has {ranks:,} ranks, and {group} has {len(hosts):,} hosts of {per_host} GPUs, "
            f"{len(hosts) * per_host:,} in all",
            "the scenario of the cluster that was measured, or more nodes in it",
        )
    if run.hosts:
        wanted = replace(wanted, places=_places(run, hosts, per_host, group, notes))
    return wanted


def _ranks(run: Run, asked: ExpectRequest, notes: list[str]) -> int | None:
    between = run.ranks_between
    if asked.ranks is not None:
        fits = asked.ranks == run.ranks if run.ranks is not None else _within(asked.ranks, between)
        if not fits:
            known = (
                f"{run.ranks}" if run.ranks is not None else f"{between[0]} to {between[1]}" if between else "others"
            )
            raise _cannot(run, f"--ranks {asked.ranks}, and the run has {known}", "leave --ranks out")
        return asked.ranks
    if run.ranks is None:
        place = f"{run.file}:{run.line}" if run.line else run.file
        if between is not None:
            raise _cannot(
                run,
                f"the log does not say how many ranks ran; its bandwidths are of {between[0]:,} to {between[1]:,}",
                f"--ranks {between[0]}",
            )
        notes.append(f"{place}: the log does not say how many ranks ran, and is taken for all of the scenario's")
    elif run.ranks < 2:
        raise _cannot(run, "one rank exchanges data with nobody", "a run of two ranks or more")
    return run.ranks


def _within(ranks: int, between: tuple[int, int] | None) -> bool:
    return between is None or between[0] <= ranks <= between[1]


def _named(run_hosts: Sequence[str], hosts: Sequence[str]) -> bool:
    """Whether the scenario has the hosts of the run, by their names or what comes before the first dot of them."""
    known = {_short(host) for host in hosts}
    return all(_short(host) in known for host in run_hosts)


def _short(host: str) -> str:
    return host.split(".", 1)[0].lower()


def _places(run: Run, hosts: Sequence[str], per_host: int, group: str, notes: list[str]) -> tuple[tuple[int, int], ...]:
    """Host and GPU of every rank: by the names of the hosts, or else the scenario's hosts in the order of the log's."""
    distinct = list(dict.fromkeys(run.hosts))
    place = f"{run.file}:{run.line}" if run.line else run.file
    if _named(distinct, hosts):
        numbers = {_short(host): number for number, host in enumerate(hosts)}
        host_of = {host: numbers[_short(host)] for host in distinct}
    else:
        if len(distinct) > len(hosts):
            raise _cannot(
                run,
                f"the run has {len(distinct):,} hosts, and {group} has {len(hosts):,}",
                "the scenario of the cluster that was measured, or more nodes in it",
            )
        host_of = {host: number for number, host in enumerate(distinct)}
    taken: dict[str, int] = {}
    places = []
    for host in run.hosts:
        gpu = taken.get(host, 0)
        taken[host] = gpu + 1
        if gpu >= per_host:
            raise _cannot(
                run,
                f"{host} has {run.hosts.count(host)} ranks, and hosts of {group} have {per_host} GPUs",
                "one rank a GPU, or gpus: of the nodes",
            )
        places.append((host_of[host], gpu))
    if not _named(distinct, hosts):
        notes.append(
            f"{place}: the scenario has no hosts of these names; the {len(distinct)} of the run are taken for its "
            f"first, {hosts[0]} to {hosts[len(distinct) - 1]}"
        )
    return tuple(places)


def _cannot(run: Run, message: str, hint: str) -> FormatError:
    return FormatError(message, file=run.file, line=run.line, hint=hint, code="FP6273")


def alike(first: Run, second: Run) -> bool:
    """Whether two runs are repetitions of one test."""
    return (
        first.operation.name == second.operation.name
        and first.ranks == second.ranks
        and np.array_equal(first.hosts, second.hosts)
    )
