"""The one registry of keys: footer, help, palette, bindings and docs are made from it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Key:
    """One key and what it does.

    Attributes
    ----------
    key : str
        As Textual names it; several separated by commas.
    action : str
        The action of the app or, where ``screens`` says so, of those screens.
    label : str
        Word in the footer; empty for keys that only help lists.
    words : str
        The sentence in help and palette.
    screens : tuple of str
        Where it holds; empty: everywhere.
    cli : str
        The command line that does the same, where there is one.
    """

    key: str
    action: str
    label: str
    words: str
    screens: tuple[str, ...] = ()
    cli: str = ""

    @property
    def shown(self) -> str:
        """The key as people write it."""
        return "/".join(_SHOWN.get(name, name) for name in self.key.split(",")[:1])


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

SCREENS = {
    "overview": ("1", "Overview", "Tiers, heat by unit, hottest links, jobs and the timeline of the step."),
    "heat": ("2", "Heat map", "Every leaf-spine pair as a cell; the link under the cursor beside it."),
    "topology": ("3", "Topology", "The tree of the fabric with its worst loads; a switch as its face plate."),
    "flows": ("4", "Flows", "Who loads the selected link, switch or job; the links of the phase by load."),
    "phases": ("5", "Phases", "The step of every job in time: compute, hidden and exposed communication."),
    "whatif": ("6", "What-if", "Changes tried live and what they cost or cure."),
    "compare": ("7", "Compare", "The base beside the present state: maps, figures, links that changed most."),
    "rules": ("9", "Rules", "Flow tables and groups of every switch; difference to the last export."),
}

KEYS = (
    *(Key(f"{key},f{key}", f"show('{name}')", "", words) for name, (key, _, words) in SCREENS.items()),
    Key("enter", "drill", "drill", "Go down: tier, unit, switch, link, flow."),
    Key("escape,backspace", "ascend", "back", "Go back up the path."),
    Key("tab", "pane(1)", "pane", "Next pane."),
    Key("shift+tab", "pane(-1)", "", "Previous pane."),
    Key("slash", "filter", "filter", "Filter rows: a text, or an expression as --where takes it.", cli="--where EXPR"),
    Key("g", "goto", "go to", "Go to any switch, host, link, unit, job or phase: fuzzy search."),
    Key("colon,ctrl+p", "palette", "palette", "All actions, searched by words, with their keys and commands."),
    Key("left_square_bracket", "phase(-1)", "phase", "Previous phase.", cli="--phase NAME"),
    Key("right_square_bracket", "phase(1)", "", "Next phase.", cli="--phase NAME"),
    Key("f", "fabric", "fabric", "Next fabric.", cli="--fabric NAME"),
    Key("d", "direction", "up/dn", "Links up, or links down."),
    Key("m", "metric", "metric", "Offered load (may exceed 100 %), or what links carry (at most 100 %)."),
    Key("x", "toggle_down", "kill", "Kill the selection, or restore it; all is routed again.", cli="--down SEL"),
    Key("u", "undo", "undo", "Undo the last change."),
    Key("ctrl+r", "redo", "", "Redo what was undone."),
    Key("c", "compare", "compare", "Compare the present state with the base.", cli="fabric compare A B"),
    Key("e", "explain", "explain", "Why: what loads the selection, and what would cure it.", cli="fabric explain"),
    Key("r", "reroute", "re-route", "Route again from the scenario file as it is now.", cli="fabric route"),
    Key("w", "write", "write", "Write this view as SVG, CSV or Markdown."),
    Key("y", "copy", "command", "Show, and copy where possible, the command that reproduces this view."),
    Key("A", "ascii", "", "ASCII digits in maps instead of glyphs.", cli="--ascii"),
    Key("T", "theme", "", "Dark or light."),
    Key("question_mark", "help", "help", "This list, searchable."),
    Key("q,ctrl+q", "quit", "quit", "Leave; unsaved what-ifs are named on the way out."),
    Key("ctrl+c", "cancel", "", "Cancel the work under way."),
    Key("space", "play", "", "Step through the phases by itself; again stops.", ("phases",)),
    Key("s", "sort", "sort", "Sort by the next column.", ("flows", "rules")),
    Key("D", "difference", "difference", "What differs from an export folder.", ("rules",), "fabric export --diff"),
    Key("S", "save", "save", "Save the changes as a scenario that includes this one.", ("whatif",)),
    Key("plus,a", "add", "add", "Add a change: failure, router, placement, queue pairs, scale, any key.", ("whatif",)),
    Key("minus,delete", "remove", "remove", "Remove the change under the cursor.", ("whatif",)),
)  # fmt: skip


def keys_of(screen: str) -> list[Key]:
    """Keys that hold on a screen: its own first."""
    return [key for key in KEYS if screen in key.screens] + [key for key in KEYS if not key.screens]


def app_bindings() -> list[BindingType]:
    """Bindings of the app: every key of the registry; actions that a screen does not have do nothing there."""
    return [Binding(key.key, key.action, key.words, show=False) for key in KEYS]
