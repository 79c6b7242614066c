"""The screens there are: a file of ``tui/screens/`` is one screen, called like the file."""

from __future__ import annotations

from topologies.plugin_folder import PluginFolder
from tui.view_screen import ViewScreen

SCREENS: PluginFolder[type[ViewScreen]] = PluginFolder("screen", "tui.screens", "SCREEN", type)


def views() -> dict[str, type[ViewScreen]]:
    """The screens by name, in their order.

    Raises
    ------
    ValueError
        When a screen is called otherwise than its file, or two declare one key.
    """
    screens = dict(SCREENS)
    for name, screen in screens.items():
        if screen.view.name != name:
            raise ValueError(f"screen {name!r} declares the name {screen.view.name!r}; it goes by that of its file")
    keys = [screen.view.key for screen in screens.values()]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"two screens declare the key {', '.join(twice)}")
    return screens
