"""Hostile input to every reader and command: documented ends, no traceback, no hang, bounded memory."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from cases import NETWORKED, Cases, commands, readers
from mutate import bent, hostile, mangled
from planted import Planted
from run_cases import run_cases
from seeds import make_seeds

from fabric.cli.main import COMMANDS

CASES = int(os.environ.get("FABRIC_FUZZ_CASES", "3000"))
FIRST = int(os.environ.get("FABRIC_FUZZ_FIRST", "0"))


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "seeds"
    make_seeds(folder)
    return folder


@pytest.mark.slow
def test_hostile_input_ends_as_documented(seeds: Path) -> None:
    faults = run_cases(list(range(FIRST, FIRST + CASES)), seeds)
    shown = "\n\n".join(f"case {fault.number}, {fault.label}:\n{fault.words}" for fault in faults[:10])
    assert not faults, f"{len(faults)} of {CASES} cases:\n{shown}"


def test_every_command_and_reader_takes_its_turn(seeds: Path) -> None:
    cases = Cases(seeds)
    labels = {cases.of(number).label for number in range(len(cases.makers))}
    assert {f"command {' '.join(words)}" for words, _ in commands()} <= labels
    assert {f"reader {feeds.kind} {feeds.reader}" for feeds in readers()} <= labels
    assert {words[0] for words, _ in commands()} == set(COMMANDS) - NETWORKED
    assert len(cases.makers) < 1500  # each comes several times in a run


def test_a_case_is_the_same_every_time() -> None:
    text = b'{"a": [1, 2, {"b": "x"}], "c": 10}\n'
    for number in range(200):
        one, two = (mangled(text, random.Random(number)) for _ in range(2))
        assert one == two
        assert repr(bent({"a": [1, {"b": 2}]}, random.Random(number))) == repr(
            bent({"a": [1, {"b": 2}]}, random.Random(number))
        )
    assert hostile("", random.Random(0)) != hostile("abc", random.Random(0))


def test_what_is_planted_is_found(tmp_path: Path) -> None:
    faults = run_cases([0, 1, 2, 3], tmp_path, make=Planted, workers=1, deadline_s=0.5)
    assert [(fault.number, fault.label) for fault in faults] == [(n, f"planted {n}") for n in (1, 2, 3)]
    for fault, words in zip(faults, ("KeyError", "no end in 0.5 s, twice", "MemoryError"), strict=True):
        assert words in fault.words
