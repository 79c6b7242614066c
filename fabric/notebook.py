"""What a notebook needs: load a scenario, run it, look at the answers as tables, save them, ask what if.

    >>> import fabric
    >>> run = fabric.run("examples/quickstart.fabric.yaml")
    >>> run.tiers().columns[:3]
    ('fabric', 'phase', 'tier')

Tables are the ones that the command line and the terminal UI show; pandas is used only where ``to_pandas`` asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fabric.expect.request import SIZES
from fabric.output.table import Table
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.whatif import changes
from fabric.whatif.live import LiveRoutes

if TYPE_CHECKING:
    from fabric.faces.explain.explain import Explanation
    from fabric.failures.result import FailureResult
    from fabric.pipeline.network import Network
    from fabric.whatif.differences import Comparison

Settings = Mapping[str, Any]  # scenario keys with dots, and their values


def _overrides(settings: Settings | None) -> list[str]:
    """``PATH=VALUE`` texts as ``--set`` takes them."""
    return [f"{path}={_text(value)}" for path, value in (settings or {}).items()]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def load(path: str | Path, *, set: Settings | None = None) -> LoadedScenario:  # noqa: A002 - the flag's name
    """Read and check a scenario file.

    Parameters
    ----------
    path
        The file; files named in it are looked for beside it.
    set
        Keys to override, with dots: ``{"fabrics.main.routing.router": "spray"}``.

    Raises
    ------
    topologies.errors.FabricError
        With every problem found, each with file, line and column.
    """
    return load_scenario(path, overrides=_overrides(set))


def run(
    scenario: str | Path | LoadedScenario,
    *,
    set: Settings | None = None,  # noqa: A002 - the flag's name
    router: str | None = None,
    fabric: str | None = None,
    down: Sequence[str] = (),
    scale: float = 1.0,
    slow: Mapping[str, float | str] | None = None,
    **request: Any,
) -> RoutedScenario:
    """Route a scenario.

    Parameters
    ----------
    scenario
        A file, a saved result (``*.fpr``), or what ``load`` gave.
    set
        Keys to override; not together with a loaded scenario, which has its own.
    router, fabric, down, scale
        As the flags of ``fabric route``: another router, one fabric only, what is down, a factor on all demand.
    slow
        What is degraded, and the part of its capacity that is left: ``{"leaf0 -> spine1": "50%"}``.
    request
        Other fields of ``fabric.request.RouteRequest``, such as ``objective`` or ``time_limit_s``.

    Raises
    ------
    topologies.errors.FabricError
        With everything that is wrong, located in the scenario.
    """
    from fabric.failures.verdicts import decided
    from fabric.saved.open_any import open_any

    asked = RouteRequest(router=router, fabric=fabric, down=tuple(down), slow=_slow(slow), scale=scale, **request)
    if isinstance(scenario, LoadedScenario):
        if set:
            raise ValueError("set belongs to fabric.load: a loaded scenario has its overrides already")
        return RoutedScenario(decided(run_scenario(scenario, asked)))
    return RoutedScenario(decided(open_any(str(scenario), overrides=_overrides(set), request=asked)))


def _slow(parts: Mapping[str, float | str] | None) -> tuple[str, ...]:
    """As ``--slow`` takes it."""
    return tuple(f"{selector}={part}" for selector, part in (parts or {}).items())


def failure_sweep(
    scenario: str | Path | LoadedScenario,
    *,
    kinds: Sequence[str] = ("link", "switch"),
    k: int = 1,
    named: str | None = None,
    set: Settings | None = None,  # noqa: A002 - the flag's name
    router: str | None = None,
    down: Sequence[str] = (),
    **asked: Any,
) -> SweptFailures:
    """Sweep failures: every single one, every pair, or a named set.

    Parameters
    ----------
    scenario
        A file, or what ``load`` gave.
    kinds, k, named
        What fails, how many parts at once, or a set of the scenario, as the flags of ``fabric failures``.
    set, router, down
        As for ``run``.
    asked
        Other fields of ``fabric.failures.request.FailureRequest``, such as ``sample``, ``reaction``, ``fabric``.

    Raises
    ------
    topologies.errors.FabricError
        With everything that is wrong.
    """
    from fabric.failures.part import PART_KINDS
    from fabric.failures.request import FailureRequest
    from fabric.failures.sweep import run_failures

    unknown = [kind for kind in kinds if kind not in PART_KINDS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a kind of part; kinds: {', '.join(PART_KINDS)}")
    if isinstance(scenario, LoadedScenario) and set:
        raise ValueError("set belongs to fabric.load: a loaded scenario has its overrides already")
    loaded = scenario if isinstance(scenario, LoadedScenario) else load(scenario, set=set)
    wanted = FailureRequest(
        route=RouteRequest(router=router, down=tuple(down)),
        kinds=tuple(kind for kind in PART_KINDS if kind in kinds),
        choose=k,
        named=() if named is None else (named,),
        **asked,
    )
    return SweptFailures(run_failures(run_scenario(loaded, wanted.route), wanted), loaded)


def expected(
    scenario: str | Path | LoadedScenario,
    *,
    collective: str = "all-reduce",
    sizes: str = SIZES,
    set: Settings | None = None,  # noqa: A002 - the flag's name
    router: str | None = None,
    down: Sequence[str] = (),
    **asked: Any,
) -> Answers:
    """What nccl-tests will show on a scenario: a row per test and size.

    Parameters
    ----------
    scenario
        A file, or what ``load`` gave.
    collective, sizes
        As the flags of ``fabric expect``: ``"all"``, ``"1M:16G"``.
    set, router, down
        As for ``run``.
    asked
        Other fields of ``fabric.expect.request.ExpectRequest``, such as ``ranks``, ``job``, ``percentile``, ``margin``.

    Raises
    ------
    ValueError
        For sizes that are none.
    topologies.errors.FabricError
        With everything that is wrong.
    """
    if isinstance(scenario, LoadedScenario) and set:
        raise ValueError("set belongs to fabric.load: a loaded scenario has its overrides already")
    loaded = scenario if isinstance(scenario, LoadedScenario) else load(scenario, set=set)
    return _expected(loaded, RouteRequest(router=router, down=tuple(down)), None, collective, sizes, asked)


def _expected(
    loaded: LoadedScenario,
    request: RouteRequest,
    network: Network | None,
    collective: str,
    sizes: str,
    asked: Mapping[str, Any],
) -> Answers:
    from fabric.expect.engine import expect
    from fabric.expect.request import ExpectRequest, collectives_of
    from fabric.expect.sizes import parse_sizes
    from fabric.faces.views.expect import expect_table

    wanted = ExpectRequest(collectives_of(collective), parse_sizes(sizes), **asked)
    return Answers(expect_table(expect(loaded, wanted, request, network=network).tests))


@dataclass(frozen=True, eq=False)
class Answers:
    """A table as plain columns: ``answers["utilisation"]`` is a list, one value per row; None is not a value.

    It shows itself as text, and as HTML in a notebook.
    """

    table: Table

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, units last."""
        return self.table.names

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, name: str) -> list[Any]:
        column = self.table.column(name)
        return [column.value(row) for row in self.table.order.tolist()]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self.table.record(position) for position in range(len(self.table)))

    def where(self, expression: str) -> Answers:
        """Only the rows a filter holds for, in the language of ``--where``."""
        return Answers(self.table.where(expression))

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` with the same columns; needs pandas, which fabric does not install."""
        import pandas as pd  # type: ignore[import-not-found, import-untyped, unused-ignore]

        return pd.DataFrame({name: self[name] for name in self.columns})

    def __repr__(self) -> str:
        from fabric.output.text import to_columns

        return to_columns([self.table.first(60)], 160)

    def _repr_markdown_(self) -> str:
        from fabric.output.text import to_markdown

        return to_markdown([self.table.first(60)])


@dataclass(frozen=True, eq=False)
class SweptFailures:
    """A sweep over failures, with its tables."""

    result: FailureResult
    loaded: LoadedScenario = field(repr=False)

    @property
    def limits_hold(self) -> bool:
        """Whether no limit with ``when`` is missed in a case of its set."""
        return all(limit.verdict.ok is not False for limit in self.result.limits)

    def cases(self) -> Answers:
        """Every case that is kept, the most harmful first."""
        from fabric.faces.views.failures import case_table

        return Answers(case_table(self.result.failures))

    def links(self) -> Answers:
        """Every link in its worst case, and the failures behind it."""
        from fabric.faces.views.failures import worst_link_table

        return Answers(worst_link_table(self.result.links))

    def limits(self) -> Answers:
        """Limits with ``when``: the worst of their cases, and how many break them."""
        from fabric.faces.views.failures import when_limit_table

        return Answers(when_limit_table(self.result.limits))


@dataclass(frozen=True, eq=False)
class RoutedScenario:
    """A run, with the questions one asks of it."""

    run: Run = field(repr=False)

    @property
    def result(self) -> RouteResult:
        """Every figure as values, arrays of all links among them."""
        return self.run.result

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.run.loaded.scenario.name

    @property
    def limits_hold(self) -> bool:
        """Whether no limit of the scenario is missed."""
        return self.result.limits_ok

    # ---- tables ---------------------------------------------------------------------------------------------------

    def phases(self) -> Answers:
        """Every routed phase: highest utilisation, bound, bottleneck."""
        from fabric.faces.views.phases import phase_table

        return Answers(phase_table(self.result.routes))

    def bill(self, *, nodes: bool = False) -> Answers:
        """What the scenario buys, a row an item and model: price, power, carbon; with the servers where asked."""
        from fabric.bill.count import bill_of
        from fabric.faces.views.bill import bill_table

        return Answers(bill_table(bill_of(self.run.loaded, self.run.network.topologies, nodes=nodes)))

    def tiers(self) -> Answers:
        """Utilisation of every tier in each direction, per phase."""
        from fabric.faces.views.tiers import tier_table

        return Answers(tier_table(self.result.routes))

    def links(self, *, fabric: str | None = None, phase: str | None = None) -> Answers:
        """All directed links of one phase, the fullest first; default: the worst phase of all.

        Raises
        ------
        ValueError
            Where nothing of that fabric and phase was routed.
        """
        from fabric.evaluation.severity import worst_phase
        from fabric.faces.views.links import link_table

        routes = [
            route for route in self.result.routes if fabric in (None, route.fabric) and phase in (None, route.phase)
        ]
        worst = worst_phase(routes)
        if worst is None:
            known = ", ".join(f"{route.fabric} {route.phase}" for route in self.result.routes)
            raise ValueError(
                f"nothing was routed on fabric {fabric!r} in phase {phase!r}; routed: {known or 'nothing'}"
            )
        return Answers(link_table(worst))

    def jobs(self) -> Answers:
        """Phases and steps of every job in time."""
        from fabric.faces.views.jobs import step_table

        return Answers(step_table(self.result.jobs))

    def limits(self) -> Answers:
        """Every limit: what was measured, whether it holds."""
        from fabric.faces.views.limits import limit_table

        return Answers(limit_table(self.result.limits))

    # ---- further questions ----------------------------------------------------------------------------------------

    @cached_property
    def _states(self) -> LiveRoutes:
        from fabric.failures.verdicts import decided

        return LiveRoutes(self.run, decided)

    def what_if(
        self,
        *,
        down: Sequence[str] = (),
        set: Settings | None = None,  # noqa: A002 - the flag's name
        scale: float | None = None,
        slow: Mapping[str, float | str] | None = None,
    ) -> RoutedScenario:
        """The same scenario with something changed; this run stays as it is.

        Parameters
        ----------
        down
            Nodes, links (``link=leaf0:spine1``) or groups (``role=spine``) to take down.
        set
            Keys to override.
        scale
            Factor on all demand, besides this run's own.
        slow
            What is degraded, and the part of its capacity that is left: ``{"leaf0 -> spine1": "50%"}``.
        """
        wanted = [changes.down(selector) for selector in down]
        wanted += [changes.degraded(text) for text in _slow(slow)]
        wanted += [changes.override(text) for text in _overrides(set)]
        wanted += [changes.scaled(scale)] if scale is not None else []
        return RoutedScenario(self._states.run(changes.ChangeSet(tuple(wanted))))

    def expect(self, collective: str = "all-reduce", sizes: str = SIZES, **asked: Any) -> Answers:
        """What nccl-tests will show on this run's fabric, with what is down and its router; see ``fabric.expected``."""
        return _expected(self.run.loaded, self.run.request, self.run.network, collective, sizes, asked)

    def compare(self, other: RoutedScenario) -> Comparison:
        """What differs between this run and another one."""
        from fabric.whatif.differences import compare

        return compare(self.run, other.run)

    def explain(self, target: str) -> Explanation:
        """Why a link, switch, job, phase or limit is as it is, and which single changes help."""
        from fabric.faces.explain.explain import explain, find_target

        return explain(self.run, find_target(self.result, target))

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the whole result to a file that ``fabric.run``, every command and the terminal UI open."""
        from fabric.saved.result_file import save_result

        target = Path(path)
        if target.exists() and not force:
            raise FileExistsError(f"{target} exists; force=True overwrites it")
        save_result(target, self.run, force=force)

    def record(self) -> dict[str, Any]:
        """The answer of ``fabric route --json``."""
        from fabric.faces.answers.records import route_record
        from fabric.faces.views.links import link_rows
        from fabric.faces.views.row_kinds import LINKS
        from fabric.output.rows import Arrangement, arrange, json_answer, row_records
        from fabric.pipeline.stages import chosen_phases

        links = link_rows(chosen_phases(self.result.routes, self.run.request.phase))
        rows = arrange(links, LINKS, Arrangement())
        return json_answer(
            route_record(self.run.loaded, self.result, power=self.run.power), rows, row_records(rows, None, None)
        )
