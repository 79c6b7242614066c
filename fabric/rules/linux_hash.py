"""How Linux hashes flows over next hops, and leaves dead ones: a file of settings per switch, with a seed of its own.

``net.ipv4.fib_multipath_hash_seed`` (Linux 6.11, for IPv4 and IPv6, one per network namespace) seeds the hash. Without
it, and where it is 0, a kernel draws one seed when it starts: machines differ, namespaces of one machine hash alike.
``fib_multipath_hash_policy`` 1 takes the ports of a flow into the hash.

A next hop whose own interface is set down is left out whatever the settings; one that has lost its carrier, as by a cut
cable, only where ``ignore_routes_with_linkdown`` is set on that very interface (``conf.all`` does nothing) by then: the
kernel goes on sending there without. Checked on Linux 6.18 (tests/real/test_failover.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from fabric.rules.errors import RuleError

LINKDOWN = "ignore_routes_with_linkdown"
_SEED = "net.ipv4.fib_multipath_hash_seed"
_LINE = re.compile(rf"\s*{re.escape(_SEED)}\s*=\s*(\d+)\s*")


def hash_settings(seed: int, families: Sequence[int]) -> list[str]:
    """Settings of a node that hashes flows over several next hops; ``seed`` from 1."""
    six = ["net.ipv6.fib_multipath_hash_policy = 1"] if 6 in families else []
    return ["net.ipv4.fib_multipath_hash_policy = 1", *six, f"{_SEED} = {seed}"]


def switch_settings(seed: int, families: Sequence[int], *, interfaces: Sequence[str] = ()) -> str:
    """``sysctl/NAME.conf`` of a switch, for ``sysctl -p``.

    Parameters
    ----------
    interfaces : sequence of str
        Those whose next hops are to be left out when their carrier is lost; a line of one that is not there is skipped.
    """
    lines = ["net.ipv4.ip_forward = 1", "net.ipv4.conf.all.rp_filter = 2"]
    if 6 in families:
        lines.append("net.ipv6.conf.all.forwarding = 1")
    lines += hash_settings(seed, families)
    lines += [f"-net.ipv{family}.conf.{name}.{LINKDOWN} = 1" for name in interfaces for family in families]
    return "".join(f"{line}\n" for line in lines)


def read_seed(folder: Path, stem: str) -> int | None:
    """Seed in the settings of one switch; None where there is no file, or none that sets it."""
    path = folder / "sysctl" / f"{stem}.conf"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{path} cannot be read: {error}", hint="export again", code="FP8020") from None
    found = [int(match[1]) for line in text.splitlines() if (match := _LINE.fullmatch(line))]
    return found[-1] if found and found[-1] else None
