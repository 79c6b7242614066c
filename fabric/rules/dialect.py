"""What a dialect is: a way to write the tables of all switches as files.

One file of ``fabric/rules/dialects/`` is one dialect, and declares ``SUMMARY`` and ``DIALECT``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from fabric.routing.table_options import Carrier
from fabric.rules.errors import RuleError
from fabric.rules.failover import Failover
from topologies.plugin_folder import PluginFolder

if TYPE_CHECKING:
    from fabric.rules.rule_set import RuleSet
    from fabric.rules.table import Group, Rule
    from fabric.rules.vrf_tables import VrfFiles


class File(NamedTuple):
    """One file of an export, by its path inside the folder of the export."""

    path: str
    content: str | bytes


# Who says how a switch seeds its hash, so that tiers do not polarise: the tables themselves, a file beside them that
# sets it, the device by its tier, or nobody: then all switches hash alike.
HashSeeds = Literal["tables", "files", "tiers", "nobody"]
UNSAID = 0  # seed of switches that nobody tells one


@dataclass(frozen=True)
class Dialect:
    """One way to write tables.

    Attributes
    ----------
    name : str
        As on the command line, such as ``ovs``; that of the file.
    format : str
        What it is a dialect of: ``openflow``, ``routes`` or ``lft``.
    proof : str
        The real program that has taken this output in the tests; empty: nothing could, the dialect is experimental.
    carrier : str
        How the programs that read it turn weights into parts.
    write : callable
        Files of a rule set, in order; lazily, so that tables of thousands of switches are never all in memory.
        Raises RuleError (FP8030) for what the dialect cannot say, with what can.
    loses : str
        What of the tables it cannot say at all, in words; empty when nothing.
    read : callable or None
        Rules and groups of one switch from the folder of an export and the switch's safe name, for the verifier.
    seeds : str
        Who says the seed, or basis, of every switch's hash: ``tables``, ``files`` of the export, ``tiers`` (the device
        by its tier), or ``nobody``. Loads that are reported follow from it.
    tenants : str or None
        How it keeps tenants apart: ``rules`` at their ports, ``partitions`` with keys, ``vrfs``; None: it cannot, or
        what it writes cannot be read back for the proof, so scenarios with tenants are refused.
    failover : str or None
        What the tables do by themselves when a link dies, one of ``fabric.rules.failover``; None: nobody has said, and
        what failures do to them is refused.
    read_vrfs : callable or None
        VRFs of one switch from the folder and its safe name, where they keep tenants apart.
    read_seed : callable or None
        Seed of one switch from the folder and its safe name, None where its files name none.
    """

    name: str
    format: Literal["openflow", "routes", "lft"]
    proof: str
    carrier: Carrier
    write: Callable[[RuleSet], Iterable[File]]
    loses: str = ""
    read: Callable[[Path, str], tuple[list[Rule], list[Group]]] | None = None
    seeds: HashSeeds = "nobody"
    read_seed: Callable[[Path, str], int | None] | None = None
    failover: Failover | None = None
    tenants: Literal["rules", "partitions", "vrfs"] | None = None
    read_vrfs: Callable[[Path, str], VrfFiles] | None = None

    @property
    def experimental(self) -> bool:
        """Whether no real program has taken its output."""
        return not self.proof


def read_switch(dialect: Dialect, folder: Path, stem: str) -> tuple[list[Rule], list[Group]]:
    """Rules and groups of one switch, by a dialect that reads.

    Raises
    ------
    RuleError
        FP8020, with the file, for whatever is wrong in it.
    """
    assert dialect.read is not None
    try:
        return dialect.read(folder, stem)
    except RuleError:
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        message = f"the {dialect.name} files of {stem} in {folder} cannot be read: {error}"
        raise RuleError(message, hint="export again", code="FP8020") from None


def switch_seed(dialect: Dialect, folder: Path, stem: str) -> int:
    """Seed of one switch's hash as the files of an export say it, ``UNSAID`` where they do not."""
    found = dialect.read_seed(folder, stem) if dialect.read_seed is not None else None
    return UNSAID if found is None else found


DIALECTS = PluginFolder("dialect", "fabric.rules.dialects", "DIALECT", Dialect)
