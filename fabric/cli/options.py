"""The common flags, before or after the verb: which commands take which, and what they came out as.

A command says which groups of them change what it does (``takes``), and what its rows are. The others are not listed in
its help, and are refused: a flag is never taken in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from topologies.plugin_folder import PluginFolder

if TYPE_CHECKING:
    from fabric.output.row_kind import RowKind
    from fabric.output.rows import Arrangement

SETTINGS = "fabric.settings"  # key of the context: the settings of the command that runs
HELP_ALL = "fabric.help_all"  # key of the context: whether help lists all options
FORMATS = ("table", "plain", "json", "ndjson", "csv", "md")


class FileName(click.types.StringParamType):
    """A text that may name a file: a tab of the shell completes it as one, as it would without us."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Left to the shell."""
        return [CompletionItem(incomplete, type="file")]


_FILE = FileName()
_NAMES_FILE = re.compile(r"\b(?:FILE|DIR|LOG|SCENARIO)\b")  # in the word that help shows for a value


def _may_be_file(param: click.Parameter) -> bool:
    """Whether a value is free text and may name a file: any argument, and an option whose word says so."""
    if type(param.type) is not click.types.StringParamType:
        return False
    return isinstance(param, click.Argument) or bool(_NAMES_FILE.search(param.metavar or ""))


class OneOf(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4
    """One of the names that there are when it is read, not when the command was declared."""

    name = "name"

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        self.names = names

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """``[A|B|C]``."""
        return f"[{'|'.join(self.names())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name; others are refused with the list."""
        return click.Choice(self.names()).convert(value, param, ctx)


class Quantity(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4
    """A number with its unit; while a word is completed nobody reads it, and it stays as written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """In the unit we count in; anything else is refused with an example."""
        if ctx is not None and ctx.resilient_parsing:
            return value
        try:
            return value if isinstance(value, float) else self.parsed(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def parsed(self, text: Any) -> float:
        """The number that a text stands for; what is wrong with it as a ``ValueError``."""
        raise NotImplementedError


class Volume(Quantity):
    """A number of bytes with its unit."""

    name = "size"

    def parsed(self, text: Any) -> float:
        """Bytes."""
        from topologies.units import parse_bytes

        return parse_bytes(text)


class Duration(Quantity):
    """A time with its unit; at least 0."""

    name = "time"

    def parsed(self, text: Any) -> float:
        """Seconds."""
        from topologies.units import parse_seconds

        seconds = parse_seconds(text)
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"{text} is not a time that passes")
        return seconds


class Share(Quantity):
    """A ratio, as scenarios take them: ``0.01`` or ``1%``; at least 0."""

    name = "ratio"

    def parsed(self, text: Any) -> float:
        """The ratio; percent without their sign are refused with both spellings."""
        from topologies.units import parse_ratio

        ratio = parse_ratio(text)
        if ratio < 0:
            raise ValueError(f"{text} is negative")
        return ratio


@dataclass(frozen=True)
class Settings:
    """Values of the common flags."""

    output: str = "-"
    format: str | None = None
    force: bool = False
    columns: str | None = None
    sort: str | None = None
    reverse: bool = False
    limit: int | None = None
    where: str | None = None
    sets: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    phase: str = "worst"
    seed: int | None = None
    quiet: bool = False
    verbose: int = 0
    color: str = "auto"
    no_progress: bool = False
    ascii: bool = False
    max_errors: int = 20
    max_memory: float | None = None
    strict: bool = False

    @property
    def overrides(self) -> list[str]:
        """All ``--set`` texts, ``--seed`` among them."""
        return [*self.sets, *([f"seed={self.seed}"] if self.seed is not None else [])]

    def arrangement(self, top: int | None = None) -> Arrangement:
        """What is asked of the rows of an answer."""
        from fabric.output.rows import Arrangement

        return Arrangement(self.where, self.sort, self.reverse, self.columns, self.limit, top)


class RareOption(click.Option):
    """An option of a command that is listed by ``--help-all`` alone."""


@dataclass(frozen=True)
class CommonOption:
    """A flag of many commands: the group it belongs to, and whether only ``--help-all`` lists it."""

    group: str
    make: Callable[[], click.Option]


# Groups of common flags, and why a command that does not take them refuses them.
GROUPS = {
    "output": "it writes no file of its own",
    "force": "it overwrites nothing",
    "format": "its output has one form",
    "rows": "its answer has no rows",
    "scenario": "it reads no scenario",
    "files": "it reads no topology file",
    "phase": "it lists nothing of a single phase",
    "color": "it prints no colours",
    "ascii": "it draws no characters that are not ASCII",
    "progress": "it shows no progress",
    "always": "",
}
_HEADINGS = (  # of the common flags in help texts
    ("Rows", ("rows",)),
    ("Scenario", ("scenario", "files", "phase")),
    ("Output", ("output", "force", "format", "always", "color", "ascii", "progress")),
)
ANSWER = ("output", "force", "format", "color", "ascii")
SCENARIO = ("scenario", "files")
WATCHED = ("color", "ascii", "progress")


def _common(group: str, *names: str, rare: bool = False, **keys: Any) -> CommonOption:
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    keys.setdefault("envvar", "FABRIC_" + long.strip("-").replace("-", "_").upper())
    kind = RareOption if rare else click.Option
    return CommonOption(group, lambda: kind(list(names), **keys))


_COMMON = (
    _common("output", "-o", "--output", metavar="FILE", help="Write the answer there; '-' is standard output."),
    _common("force", "--force", is_flag=True, help="Overwrite what an earlier command wrote there."),
    _common("format", "-f", "--format", type=click.Choice(FORMATS), help="table on a terminal, plain when piped."),
    _common("format", "--json", "format_", flag_value="json", help="Same as -f json.", envvar=None),
    _common("rows", "--where", metavar="EXPR", help="Keep rows, e.g. 'utilisation > 0.9 and tier == \"leaf-spine\"'."),
    _common("rows", "--sort", metavar="COLUMN", help="Sort rows by a column."),
    _common("rows", "--reverse", is_flag=True, help="The other way round."),
    _common("rows", "--limit", type=click.IntRange(min=0), metavar="N", help="At most N rows, cut last."),
    _common("rows", "--columns", metavar="A,+B,-C", help="Choose, add or drop columns; 'help' lists them with units."),
    _common("scenario", "--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a field of the scenario."),
    _common("scenario", "--seed", type=click.IntRange(min=0), metavar="N", help="Seed of everything random."),
    _common(
        "scenario", "--down", multiple=True, metavar="SEL", help="Take down a node, link=A:B, unit=N, pod=N, role=NAME."
    ),
    _common(
        "scenario", "--slow", multiple=True, metavar="SEL=PART",
        help="Degrade what --down would take: LINK=50% leaves half of its capacity.",
    ),
    _common("scenario", "--up", multiple=True, metavar="SEL", help="Spare this from --down.", rare=True),
    _common("phase", "--phase", metavar="NAME|all|worst", help="Which phase; default: the worst of each fabric."),
    _common(
        "files", "--strict", is_flag=True, rare=True,
        help="Refuse topology files with anything wrong; else what is sound is taken.",
    ),
    _common("always", "-q", "--quiet", is_flag=True, help="Only errors on standard error."),
    _common("always", "-v", "--verbose", count=True, help="More on standard error; -vv shows tracebacks.", rare=True),
    _common(
        "always", "--max-errors", type=click.IntRange(min=1), metavar="N", rare=True,
        help="Errors printed in full; default 20.",
    ),
    _common(
        "always", "--max-memory", type=Volume(), metavar="SIZE", rare=True,
        help="Refuse what needs more, e.g. 64GB; default: the machine's.",
    ),
    _common("color", "--color", type=click.Choice(["auto", "always", "never"]), help="Colour on terminals.", rare=True),
    _common("ascii", "--ascii", is_flag=True, help="No box-drawing characters.", rare=True),
    _common("progress", "--no-progress", is_flag=True, help="No progress on standard error.", rare=True),
)  # fmt: skip
_FIELD = {"format_": "format"}


def common_options(groups: Sequence[str] = tuple(GROUPS)) -> list[click.Option]:
    """Fresh option objects of these groups, for the group of all commands and for each of them."""
    return [option.make() for option in _COMMON if option.group in groups]


def group_of(flag: str) -> str | None:
    """The group of common flags that one is of; None for others."""
    return next((option.group for option in _COMMON if flag in option.make().opts), None)


def _given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) not in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)


def collect(ctx: click.Context, base: Settings, values: dict[str, Any]) -> Settings:
    """Lay the common flags given in a context over ``base``; repeatable ones add up. Removes them from ``values``."""
    merged: dict[str, Any] = dict(base.__dict__)
    for option in common_options():
        name = option.name or ""
        value = values.pop(name, None)
        if not _given(ctx, name):
            continue
        field = _FIELD.get(name, name)
        if option.multiple:
            merged[field] = (*merged[field], *value)
        elif value is not None:
            merged[field] = value
    return Settings(**merged)


def listed(title: str, folder: PluginFolder[Any]) -> str:
    """Names and summaries of a folder's entries, for the end of a help text."""
    width = max(map(len, folder))
    lines = [f"  {name:<{width}}  {folder.summary(name)}" for name in folder]
    return "\n".join(["\b", f"{title}:", *lines])


# ---- which flags were given ------------------------------------------------------------------------------------------


def flags_given(ctx: click.Context) -> dict[str, str]:
    """Parameter name -> flag, of all options on the command line of ``ctx``, before or after its verb.

    What comes from the environment is not among them: it is said for all commands, and holds where it applies.
    """
    typed: dict[str, str] = {}
    for context in dict.fromkeys((ctx.find_root(), ctx)):
        for option in context.command.get_params(context):
            is_typed = context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
            if isinstance(option, click.Option) and is_typed:
                typed[option.name or ""] = max(option.opts, key=len)
    return typed


def check_scale(scale: float) -> None:
    """Refuse a factor on demand that is none."""
    if not 0 < scale < float("inf"):
        raise click.BadParameter(f"{scale:g} is not a factor: it must be above 0", param_hint="--scale")


def refuse_flags(because: str, *names: str, groups: Sequence[str] = ()) -> None:
    """Refuse flags that do nothing for what a command was asked for.

    Parameters
    ----------
    because : str
        Why they do nothing.
    names : str
        Names of parameters.
    groups : sequence of str
        Groups of common flags, with all that are in them.

    Raises
    ------
    click.UsageError
        Naming the first that was given.
    """
    ctx = click.get_current_context()
    among = {*names, *(option.name for option in common_options(groups))}
    idle = [flag for name, flag in flags_given(ctx).items() if name in among]
    if idle:
        _refuse(ctx, idle[0], because)


def _refuse(ctx: click.Context, flag: str, because: str) -> NoReturn:
    raise click.UsageError(f"{flag} does nothing for {ctx.command_path}: {because}", ctx)


# ---- commands --------------------------------------------------------------------------------------------------------

RowChoice = Callable[[Mapping[str, Any]], "RowKind | None"]


class FabricCommand(click.Command):
    """A command that also takes common flags, and gets them as its argument ``settings``.

    Parameters
    ----------
    takes : sequence of str
        Groups of common flags that change what it does, besides those that all have.
    rows : sequence of RowKind
        What its rows can be; the flags of rows are taken where there is one.
    row_kind : callable, optional
        Which of them it is, from the values of its parameters; None where this answer has no rows. Default: the first.
    """

    def __init__(
        self,
        *args: Any,
        takes: Sequence[str] = (),
        rows: Sequence[RowKind] = (),
        row_kind: RowChoice | None = None,
        **keys: Any,
    ) -> None:
        super().__init__(*args, **keys)
        self.takes = (*takes, *(("rows",) if rows else ()), "always")
        self.rows = tuple(rows)
        self.row_kind: RowChoice = row_kind or (lambda _: self.rows[0] if self.rows else None)
        self.own_params = tuple(self.params)
        self.params = [*self.params, *common_options(self.takes), help_all_option()]
        for param in self.params:
            if _may_be_file(param):
                param.type = _FILE

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Say of a common flag that is not taken why that is."""
        names = {parameter.name for parameter in self.params}
        for name, flag in flags_given(ctx).items():  # before the command's name
            group = group_of(flag)
            if name not in names and group is not None:
                _refuse(ctx, flag, GROUPS[group])
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            group = group_of(error.option_name)
            if group is None:
                raise
            _refuse(ctx, error.option_name, GROUPS[group])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options that are often needed, its own first; the others are counted."""
        from fabric.cli.help_text import write_options

        sections, rare = self.option_sections(ctx, every=bool(ctx.meta.get(HELP_ALL)))
        write_options(sections, rare, ctx, formatter)

    def option_sections(
        self, ctx: click.Context, *, every: bool = True
    ) -> tuple[list[tuple[str, list[click.Option]]], list[str]]:
        """Options under their headings, its own first; and the flags of those that are left out unless ``every``."""
        heading = {option.name: title for title, groups in _HEADINGS for option in common_options(groups)}
        own = {param.name for param in self.own_params}
        sections: dict[str, list[click.Option]] = {"Options": [], **{title: [] for title, _ in _HEADINGS}}
        rare: list[str] = []
        for param in self.get_params(ctx):
            if not isinstance(param, click.Option):
                continue
            if isinstance(param, RareOption) and not every:
                rare.append(max(param.opts, key=len))
                continue
            sections["Options" if param.name in own else heading.get(param.name, _HEADINGS[-1][0])].append(param)
        return list(sections.items()), rare

    def invoke(self, ctx: click.Context) -> Any:
        """Replace the common flags by one ``settings`` argument; look at those of rows before the work."""
        base = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
        settings = ctx.params["settings"] = collect(ctx, base, ctx.params)
        ctx.meta[SETTINGS] = settings
        from topologies.budget import limited_to

        if self.rows:
            kind = self.row_kind(ctx.params)
            if kind is None:
                refuse_flags(GROUPS["rows"], groups=("rows",))
            elif settings.columns == "help":
                from fabric.cli.help_text import column_help

                click.echo(column_help(kind))
                return 0
            else:
                settings.arrangement().check(kind)
        with limited_to(settings.max_memory):
            return super().invoke(ctx)


def help_all_option() -> click.Option:
    """``--help-all``: the help with every option."""

    def show(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta[HELP_ALL] = True
            click.echo(ctx.command.get_help(ctx), color=ctx.color)
            ctx.exit()

    return click.Option(
        ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=show,
        help="Show all options, those that are rarely needed too.",
    )  # fmt: skip
