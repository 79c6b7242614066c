"""Flags that every command has, before or after the verb, and what they came out as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource

from topologies.plugin_folder import PluginFolder

FORMATS = ("table", "plain", "json", "ndjson", "csv", "md")


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


class Volume(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4
    """A number of bytes with its unit."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Bytes; anything else is refused with an example."""
        from topologies.units import parse_bytes

        try:
            return value if isinstance(value, float) else parse_bytes(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Share(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4
    """A ratio, as scenarios take them: ``0.01`` or ``1%``; at least 0."""

    name = "ratio"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The ratio; percent without their sign are refused with both spellings."""
        from topologies.units import parse_ratio

        try:
            ratio = parse_ratio(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if ratio < 0:
            self.fail(f"{value} is negative", param, ctx)
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


def _option(*names: str, **keys: Any) -> Callable[[], click.Option]:
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    keys.setdefault("envvar", "FABRIC_" + long.strip("-").replace("-", "_").upper())
    return lambda: click.Option(list(names), **keys)


_COMMON = (
    _option("-o", "--output", metavar="FILE", help="Write the answer there; '-' is standard output."),
    _option("-f", "--format", type=click.Choice(FORMATS), help="table on a terminal, plain when piped."),
    _option("--json", "format_", flag_value="json", help="Same as -f json.", envvar=None),
    _option("--strict", is_flag=True, help="Refuse topology files with anything wrong; else what is sound is taken."),
    _option("--force", is_flag=True, help="Overwrite an existing output file."),
    _option("--columns", metavar="A,+B,-C", help="Choose, add or drop columns of csv and ndjson; 'help' lists them."),
    _option("--sort", metavar="KEY", help="Sort rows by a column."),
    _option("--reverse", is_flag=True, help="Reverse the order."),
    _option("--limit", type=click.IntRange(min=0), metavar="N", help="At most N rows."),
    _option("--where", metavar="EXPR", help="Keep rows, e.g. 'utilisation > 0.9 and tier == \"leaf-spine\"'."),
    _option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override one field of the scenario."),
    _option("--down", multiple=True, metavar="SEL", help="Take down a node, link=A:B, unit=N, pod=N or role=NAME."),
    _option("--up", multiple=True, metavar="SEL", help="Spare this from --down."),
    _option("--phase", metavar="NAME|all|worst", help="Whose links are listed; default: the worst per fabric."),
    _option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed of everything random."),
    _option("-q", "--quiet", is_flag=True, help="Only errors on standard error."),
    _option("-v", "--verbose", count=True, help="More on standard error; -vv shows tracebacks."),
    _option("--color", type=click.Choice(["auto", "always", "never"]), help="Colour on terminals."),
    _option("--no-progress", is_flag=True, help="No progress on standard error."),
    _option("--ascii", is_flag=True, help="No box-drawing characters."),
    _option(
        "--max-memory", type=Volume(), metavar="SIZE", help="Refuse what needs more, e.g. 64GB; default: the machine's."
    ),
    _option("--max-errors", type=click.IntRange(min=1), metavar="N", help="Errors printed in full; default 20."),
)
_FIELD = {"format_": "format"}


def common_options() -> list[click.Option]:
    """Fresh option objects, for the group and for every command."""
    return [make() for make in _COMMON]


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


class FabricCommand(click.Command):
    """A command that also takes the common flags, and gets them as its first argument."""

    def __init__(self, *args: Any, **keys: Any) -> None:
        super().__init__(*args, **keys)
        self.params = [*self.params, *common_options()]

    def invoke(self, ctx: click.Context) -> Any:
        """Replace the common flags by one ``settings`` argument."""
        base = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
        settings = ctx.params["settings"] = collect(ctx, base, ctx.params)
        from topologies.budget import limited_to

        with limited_to(settings.max_memory):
            return super().invoke(ctx)
