"""The shell that knows what it can ask of the view in front; base of what the keys do."""

from __future__ import annotations

from tui.keys import SHELL_KEYS
from tui.shell import Shell
from tui.view_screen import ViewScreen

_NEED_A_VIEW = {key.action.partition("(")[0] for key in SHELL_KEYS if not key.anywhere} | {"show"}


class Front(Shell):
    """Keys that are about a view wait until there is one."""

    @property
    def front(self) -> ViewScreen:
        """The view in front.

        Raises
        ------
        RuntimeError
            When there is none; actions that need one are not run then.
        """
        view = self.view
        if not isinstance(view, ViewScreen):
            raise RuntimeError("no view is in front")
        return view

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action holds now."""
        return self.view is not None or action not in _NEED_A_VIEW
