"""What every command promises: help that begins with its summary, and exit code 2 for a flag that it does not have."""

from __future__ import annotations

import importlib

import click
import pytest

from fabric.cli.main import COMMANDS, cli, run

CONTEXT = click.Context(cli)
NAMES = cli.list_commands(CONTEXT)
EVERY = pytest.mark.parametrize("name", NAMES)


@EVERY
def test_its_help_begins_with_its_summary(name, capsys):
    """And ``fabric --help`` lists the same words."""
    command = cli.get_command(CONTEXT, name)
    assert run([name, "--help"]) == 0
    usage, first, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"Usage: fabric {name} ")
    summary = command.short_help
    assert " ".join(first.split()) == summary
    assert run(["--help"]) == 0
    assert summary in " ".join(capsys.readouterr().out.split())


@EVERY
def test_its_summary_is_one_sentence_and_that_of_the_file(name):
    """What was read from the text is what the module says; its order is its own."""
    command = cli.get_command(CONTEXT, name)
    module = importlib.import_module(command.callback.__module__)
    assert command.short_help == module.SUMMARY
    assert module.SUMMARY.endswith(".")
    assert len(module.SUMMARY) <= 100
    assert command.name == name
    assert len({COMMANDS.declared[other].order for other in COMMANDS}) == len(COMMANDS)


@EVERY
def test_a_flag_that_it_does_not_have_is_a_bad_command_line(name, capsys):
    """Exit code 2, and the flag is named."""
    assert run([name, "--no-such-flag"]) == 2
    assert "--no-such-flag" in capsys.readouterr().err


@EVERY
def test_every_option_says_what_it_does(name):
    """An option without a text is a riddle in ``--help``."""
    command = cli.get_command(CONTEXT, name)
    silent = [option.opts for option in command.params if isinstance(option, click.Option) and not option.help]
    assert silent == []


def test_a_command_with_a_slip_is_corrected(capsys):
    """The nearest is named, also among those of other packages."""
    for name in NAMES:
        assert run([f"{name}q"]) == 2
        assert "did you mean" in capsys.readouterr().err
