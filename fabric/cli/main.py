"""The command ``fabric``: finds the command asked for, and turns every failure into a message and an exit code.

Commands are imported when they run, so that ``fabric --help`` loads neither solvers nor tables.
"""

from __future__ import annotations

import gc
import os
import sys
from copy import copy
from functools import cache
from inspect import cleandoc
from typing import Any

import click
from click.shell_completion import CompletionItem

from fabric.cli.exit_codes import BROKEN_PIPE, OK, PARTIAL, USAGE
from fabric.cli.interrupts import exit_code_of, interruptible
from fabric.cli.options import HELP_ALL, SETTINGS, Settings, collect, common_options, help_all_option
from fabric.cli.streams import ReaderGoneError, StreamError, drop_output
from topologies.plugin_folder import Declared, PluginFolder, module_path, read_declared
from topologies.printable import printable

COMMANDS = PluginFolder("command", "fabric.cli.commands", "command", click.Command)
_OBJECTS = 200_000  # made between two searches for cycles; at Python's 700 a start spends 7 % of its time on them
_AT_START = {  # of libraries, unless the user says otherwise
    # Products of dense matrices are small here: threads beneath NumPy wait for each other longer than they take. Ours
    # share the processors between cases, phases and columns.
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # which are looked for in every package that is installed
}
GROUP = "fabric.commands"  # entry points of the packages that import this one, such as tui


class Verbs(click.Group):
    """The commands: files of ``fabric/cli/commands/``, and entry points; loaded one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, the front door first."""
        declared = [*COMMANDS.declared.items(), *_plugged().items()]
        return [name for name, _ in sorted(declared, key=lambda item: item[1].order)]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands that begin so, by what is declared of them: none of their files is imported for a tab."""
        summaries = {name: item.summary for name, item in (*COMMANDS.declared.items(), *_plugged().items())}
        found = [
            CompletionItem(name, help=summaries[name])
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's file."""
        if cmd_name in COMMANDS:
            return _introduced(COMMANDS[cmd_name], COMMANDS.summary(cmd_name))
        if cmd_name in _plugged():
            return _introduced(_load_plugged(cmd_name), _plugged()[cmd_name].summary)
        return None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Name the nearest command when there is no such one."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            known = self.list_commands(ctx)
            if args[0] not in known:
                from topologies.errors import nearest_hint

                hint = nearest_hint(args[0], known, "commands")
                raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; before an error stands what was left out of its files, which may be the cause."""
        from topologies.errors import FabricError

        try:
            return super().invoke(ctx)
        except FabricError:
            say_of_files(ctx)
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Its own options; the common ones, which may stand before the command, under --help-all."""
        from fabric.cli.help_text import write_options

        common = {option.name for option in common_options()}
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        sections = [("Options", [option for option in options if option.name not in common])]
        if ctx.meta.get(HELP_ALL):
            known = [option for option in options if option.name in common]
            sections.append(("Before or after each command that they change", known))
        write_options(sections, (), ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        summaries = {name: declared.summary for name, declared in [*COMMANDS.declared.items(), *_plugged().items()]}
        with formatter.section("Commands"):
            formatter.write_dl([(name, summaries[name]) for name in self.list_commands(ctx)])


def _introduced(command: click.Command, summary: str) -> click.Command:
    """A command with its summary as the first line of its help."""
    introduced = copy(command)
    introduced.short_help = summary
    introduced.help = f"{summary}\n\n{cleandoc(command.help or '')}".rstrip()
    return introduced


@cache
def _plugged() -> dict[str, Declared]:
    """Commands of other packages by name, from the text of the files that their entry points name."""
    from importlib.metadata import entry_points

    return {point.name: read_declared(module_path(point.module), point.module) for point in entry_points(group=GROUP)}


def _load_plugged(name: str) -> click.Command:
    from importlib.metadata import entry_points

    (point,) = entry_points(group=GROUP, name=name)
    try:
        command: click.Command = point.load()
    except ImportError as error:
        raise click.UsageError(f"{name} needs {error.name}, which is not installed") from None
    return command


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


cli.params = [*cli.params, *common_options(), help_all_option()]


@cli.result_callback()
@click.pass_context
def _say_of_files(ctx: click.Context, /, result: Any, **_: Any) -> Any:
    """Say what files were taken for, and what was left out of them, which the exit code says too."""
    return result or PARTIAL if say_of_files(ctx) else result


def say_of_files(ctx: click.Context) -> bool:
    """Say on standard error what files were taken for, and list what was left out; whether anything was."""
    from fabric.cli.answer import DROPPED, SAID, note

    settings = ctx.meta.get(SETTINGS, ctx.obj)  # of the command where one ran: its flags stand after its name
    for text in dict.fromkeys(text for said in ctx.meta.get(SAID, ()) for text in said):
        note(text, settings)
    dropped = [problem for found in ctx.meta.get(DROPPED, ()) for problem in found]
    for problem in dropped:
        click.echo(f"left out: {printable(str(problem))}", err=True)
    if dropped:
        click.echo(f"{len(dropped)} element(s) left out; --strict refuses such files", err=True)
    return bool(dropped)


def main(argv: list[str] | None = None) -> None:
    """Entry point of the command."""
    from fabric.cli.streams import guard_streams

    gc.set_threshold(_OBJECTS, 20, 20)
    for setting, value in _AT_START.items():
        os.environ.setdefault(setting, value)
    guard_streams()
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Run one command line; returns the exit code and raises nothing."""
    verbose = sum(word.count("v") for word in argv if word.startswith("-v") and set(word[1:]) == {"v"})
    try:
        with interruptible():
            code = cli.main(args=argv, prog_name="fabric", standalone_mode=False)
            sys.stdout.flush()
        return code if isinstance(code, int) else OK
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE if isinstance(error, click.UsageError) else error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        click.echo("interrupted", err=True)
        return exit_code_of(error)
    except (ReaderGoneError, BrokenPipeError):  # the reader is gone
        drop_output()
        return BROKEN_PIPE
    except StreamError as error:
        from fabric.cli.failure import explain_failure

        drop_output()
        return explain_failure(error.explained(), argv, verbose)
    except Exception as error:  # the outermost frame: known mistakes are explained, the rest is a bug of ours
        from fabric.cli.failure import explain_failure

        return explain_failure(error, argv, verbose)
