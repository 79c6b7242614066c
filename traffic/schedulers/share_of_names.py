"""Whether a cluster that was read is the one of the scenario: by how many names it has in common with it."""

from __future__ import annotations

from collections.abc import Sequence

from topologies.errors import FormatError
from traffic.host_names import HostNames

_HALF = 0.5


def check_share_of_names(nodes: Sequence[str], hosts: Sequence[str], label: str) -> tuple[str, ...]:
    """Refuse a cluster that has less than half of the hosts, and of whose nodes less than half are hosts.

    A scenario may be of a part of a cluster, or of more than is installed; it is of another one where neither is
    mostly in the other.

    Returns
    -------
    tuple of str
        What to say of it.

    Raises
    ------
    FormatError
        FP6286, with names of both.
    """
    known = HostNames(hosts)
    of_ours = [node for node in nodes if known.find(node)]
    words = f"{len(of_ours):,} of {len(nodes):,} names match hosts of the job, which are {len(hosts):,}"
    if len(of_ours) < _HALF * len(nodes) and len(of_ours) < _HALF * len(hosts):
        others = [node for node in nodes if not known.find(node)]
        raise FormatError(
            f"a cluster of another fabric: {words}",
            file=label,
            notes=(f"nodes there are named like {others[0]}, hosts of the job like {hosts[0]}",),
            hint="another cluster; or nodes: {name, first} of the scenario as the cluster names them",
            code="FP6286",
        )
    return (f"{label}: {words}",)
