"""The command ``fabric``: finds the verb, and turns every failure into a message and an exit code.

Commands are imported when they run, so that ``fabric --help`` loads neither solvers nor tables.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from fabric.cli.exit_codes import BROKEN_PIPE, INTERRUPTED, OK, PARTIAL, USAGE
from fabric.cli.options import Settings, collect, common_options

# verb -> what it does; the module is fabric.cli.<verb>_command, with _ for -
VERBS = {
    "route": "Route a scenario: which links are congested, why, and what it costs each job.",
    "build": "Build the fabrics: switches, ports, cables, capacities.",
    "show": "Show path counts or the bisection of the fabrics.",
    "traffic": "Derive the traffic: phases and bytes of every workload.",
    "validate": "Check scenario, catalogue and topology files: syntax, schema and semantics.",
    "convert": "Convert topologies between file formats.",
    "draw": "Draw a fabric with its load: tier or links view.",
    "explain": "Why a link, switch, job, phase or limit is as it is, and what would cure it.",
    "compare": "Compare two scenarios or saved results: network, loads, times, what was changed.",
    "report": "Write a report: one HTML page that needs no network, Markdown or JSON.",
    "export": "Write flow tables, routes and addresses that switches accept; export list names the dialects.",
    "verify": "Follow exported tables to every destination, or compare them with what runs.",
    "rules": "Trace a packet through exported tables, write probes that hit every rule.",
    "push": "Install exported tables over OpenFlow 1.3 and read them back.",
    "catalog": "List and show models of switches, NICs, nodes, optics and cables; import NetBox device types.",
    "init": "Write a commented starter scenario.",
    "check-certificate": "Check a certificate of route --certificate by shortest paths alone.",
    "schema": "Print the JSON Schema of scenario or catalogue files.",
    "tui": "Look at a scenario in the terminal: congestion, heat map, flows, what-ifs.",
}
PLUGGED = ("tui",)  # found by an entry point of the group fabric.commands: their packages import this one


class Verbs(click.Group):
    """The verbs, loaded one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, the front door first."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb's module."""
        if cmd_name not in VERBS:
            return None
        if cmd_name in PLUGGED:
            return _plugged(cmd_name)
        module = importlib.import_module(f"fabric.cli.{cmd_name.replace('-', '_')}_command")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Name the nearest verb when there is no such one."""
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            from topologies.errors import nearest_hint

            hint = nearest_hint(args[0], VERBS, "commands")
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def _plugged(name: str) -> click.Command:
    from importlib.metadata import entry_points

    for point in entry_points(group="fabric.commands", name=name):
        try:
            command: click.Command = point.load()
        except ImportError as error:
            raise click.UsageError(f"{name} needs {error.name}, which is not installed") from None
        return command
    raise click.UsageError(f"{name} is not installed; install fabric-planner again")


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version

        click.echo(f"fabric {version('fabric-planner')}")
        ctx.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def cli(ctx: click.Context, /, **values: Any) -> None:
    """Plan the networks of AI data centres: fabrics, traffic, congestion."""
    ctx.obj = collect(ctx, Settings(), values)


cli.params = [*cli.params, *common_options()]


@cli.result_callback()
@click.pass_context
def _say_dropped(ctx: click.Context, /, result: Any, **_: Any) -> Any:
    """List what was left out of imported files; the answer is for the rest, and the exit code says so."""
    from fabric.cli.answer import DROPPED

    dropped = [problem for found in ctx.meta.get(DROPPED, ()) for problem in found]
    if not dropped:
        return result
    for problem in dropped:
        click.echo(f"left out: {problem}", err=True)
    click.echo(f"{len(dropped)} element(s) left out; --strict refuses such files", err=True)
    return result or PARTIAL


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Run one command line; returns the exit code and raises nothing."""
    verbose = sum(word.count("v") for word in argv if word.startswith("-v") and set(word[1:]) == {"v"})
    try:
        code = cli.main(args=argv, prog_name="fabric", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else OK
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE if isinstance(error, click.UsageError) else error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader is gone; point stdout elsewhere so that closing it at exit stays silent.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:  # the outermost frame: known mistakes are explained, the rest is a bug of ours
        from fabric.cli.failure import explain_failure

        return explain_failure(error, argv, verbose)
