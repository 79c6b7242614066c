"""What a screen declares of itself: how it is called and opened, and the keys that hold on it alone."""

from __future__ import annotations

from dataclasses import dataclass

from tui.keys import Key


@dataclass(frozen=True)
class View:
    """A screen of the session, as its own file declares it.

    Attributes
    ----------
    name : str
        As ``Shell.go`` takes it.
    key : str
        The key that opens it; a digit brings the function key of its number with it, 0 that of 10.
    title : str
        In the heading, the path and the dialogues.
    help : str
        What it shows, one sentence.
    keys : tuple of Key
        The keys that hold on it alone; their actions are methods of the screen.
    """

    name: str
    key: str
    title: str
    help: str
    keys: tuple[Key, ...] = ()

    @property
    def opener(self) -> Key:
        """The key that opens it, answered by the shell."""
        keys = f"{self.key},f{int(self.key) or 10}" if self.key.isdigit() else self.key
        return Key(keys, f"show('{self.name}')", "", self.help)
