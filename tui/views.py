"""The views there are: one file of ``tui/screens/`` is one view, its module has one ``SCREEN``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from tui.view_screen import ViewScreen


@cache
def views() -> dict[str, type[ViewScreen]]:
    """The screens by the name they declare, in the order they are listed in.

    Raises
    ------
    ValueError
        When two screens declare one name or one key.
    """
    package = importlib.import_module("tui.screens")
    screens: list[type[ViewScreen]] = [
        importlib.import_module(f"tui.screens.{module.name}").SCREEN
        for module in pkgutil.iter_modules(package.__path__)
    ]
    screens.sort(key=lambda screen: (screen.view.order, screen.view.key, screen.view.name))
    for what, declared in (
        ("name", [screen.view.name for screen in screens]),
        ("key", [screen.view.key for screen in screens]),
    ):
        twice = {text for text in declared if declared.count(text) > 1}
        if twice:
            raise ValueError(f"two screens declare the {what} {', '.join(sorted(twice))}")
    return {screen.view.name: screen for screen in screens}
