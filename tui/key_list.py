"""All keys in one list, for footer, help, palette and documentation: those of screens and those of the shell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabric.output.table import Column, Table
from tui.keys import SHELL_KEYS, Key
from tui.search import fuzzy
from tui.view import View


@dataclass(frozen=True)
class ListedKey:
    """A key and where it holds: titles of screens, none where it holds on all."""

    key: Key
    on: tuple[str, ...] = ()


def everywhere(views: Mapping[str, View]) -> list[ListedKey]:
    """Keys that hold on every screen: those that open screens, those of the shell."""
    return [ListedKey(key) for key in (*(view.opener for view in views.values()), *SHELL_KEYS)]


def keys_on(view: View, views: Mapping[str, View]) -> list[ListedKey]:
    """Keys that hold on a screen, its own first."""
    return [*(ListedKey(key, (view.title,)) for key in view.keys), *everywhere(views)]


def all_keys(views: Mapping[str, View], front: View | None = None) -> list[ListedKey]:
    """Every key once: those of the screen in front first, those of other screens last.

    A key that several screens declare in the same words is one line.
    """
    titles: dict[Key, list[str]] = {}
    for view in views.values():
        for key in view.keys:
            titles.setdefault(key, []).append(view.title)
    own = [ListedKey(key, tuple(titles[key])) for key in (front.keys if front is not None else ())]
    others = [ListedKey(key, tuple(on)) for key, on in titles.items() if front is None or key not in front.keys]
    return [*own, *everywhere(views), *others]


def key_table(keys: Sequence[ListedKey], query: str) -> Table:
    """Keys whose words match; a row's id is its position in ``keys``."""
    texts = [f"{listed.key.help} {listed.key.cli} {listed.key.shown}" for listed in keys]
    columns = (
        Column("words", "what it does", [listed.key.help for listed in keys], width=40),
        Column("key", "key", [listed.key.shown for listed in keys], width=9),
        Column("cli", "command line", [listed.key.cli for listed in keys], width=20, priority=1),
        Column("where", "only on", [", ".join(listed.on) for listed in keys], width=12, priority=2),
    )
    return Table(columns, Table.of(columns, len(keys)).order[fuzzy(query, texts, len(keys))])
