"""Keys: what one is, and those that the shell answers on every screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """One key and what it does.

    Attributes
    ----------
    key : str
        As Textual names it; several separated by commas, the first is the one shown.
    action : str
        The action of the screen that declares the key, or of the shell.
    label : str
        Word in the footer; empty for keys that only help lists.
    help : str
        The sentence in help, palette and documentation.
    cli : str
        The command line that does the same, where there is one.
    anywhere : bool
        Whether the key holds before a scenario is open, too.
    """

    key: str
    action: str
    label: str
    help: str
    cli: str = ""
    anywhere: bool = False

    @property
    def shown(self) -> str:
        """The key as people write it."""
        name = self.key.partition(",")[0]
        return _SHOWN.get(name, name)

    @property
    def binding(self) -> Binding:
        """The key for Textual; our own footer shows it."""
        return Binding(self.key, self.action, self.help, show=False)


_SHOWN = {
    "left_square_bracket": "[ ]",
    "right_square_bracket": "]",
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "comma": ",",
    "full_stop": ".",
    "plus": "+",
    "minus": "-",
    "escape": "esc",
    "less_than_sign": "<",
    "greater_than_sign": ">",
}

SHELL_KEYS = (
    Key("enter", "drill", "drill", "Go down: tier, unit, switch, link, flow."),
    Key(
        "escape,backspace",
        "ascend",
        "back",
        "Clear the filter; go back up the path; at its end clear what is selected.",
    ),
    Key("tab", "pane(1)", "pane", "Next pane."),
    Key("shift+tab", "pane(-1)", "", "Previous pane."),
    Key("slash", "filter", "filter", "Filter rows: a text, or an expression as --where takes it.", "--where EXPR"),
    Key("g", "goto", "go to", "Go to any switch, host, link, unit, job or phase: fuzzy search."),
    Key("colon,ctrl+p", "palette", "palette", "All actions, searched by words, with their keys and commands."),
    Key("left_square_bracket", "phase(-1)", "phase", "Previous phase.", "--phase NAME"),
    Key("right_square_bracket", "phase(1)", "", "Next phase.", "--phase NAME"),
    Key("f", "fabric", "fabric", "Next fabric.", "--fabric NAME"),
    Key("d", "direction", "up/dn", "Links up, or links down."),
    Key("m", "metric", "metric", "Offered load (may exceed 100 %), or what links carry (at most 100 %)."),
    Key("x", "toggle_down", "kill", "Kill the selection, or restore it; all is routed again.", "--down SEL"),
    Key("u", "undo", "undo", "Undo the last change."),
    Key("ctrl+r", "redo", "", "Redo what was undone."),
    Key("c", "compare", "compare", "Compare the present state with the base.", "fabric compare A B"),
    Key("e", "explain", "explain", "Why: what loads the selection, and which changes would help.", "fabric explain"),
    Key("r", "reroute", "re-route", "Route again from the scenario file as it is now.", "fabric route"),
    Key("w", "write", "write", "Write this view as SVG, CSV or Markdown."),
    Key("y", "copy", "command", "Show, and copy where possible, the command that reproduces this view."),
    Key("A", "ascii", "", "ASCII digits in maps instead of glyphs.", "--ascii", anywhere=True),
    Key("T", "theme", "", "Dark or light.", anywhere=True),
    Key("question_mark", "help", "help", "This list, searchable.", anywhere=True),
    Key("q,ctrl+q", "quit", "quit", "Leave; unsaved what-ifs are named on the way out.", anywhere=True),
    Key("ctrl+c", "cancel", "", "Cancel the work under way.", anywhere=True),
)
