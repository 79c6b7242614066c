"""The terminal UI in layers: screens and widgets know a shell, the app knows the screens, nothing goes round."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "tui").rglob("*.py"))
}
BELOW_THE_APP = [name for name in FILES if name not in ("tui.app", "tui.main")]


def imports_of(name: str) -> set[str]:
    """Modules of ``tui`` that a file imports, deferred imports and those for type checkers included."""
    targets: set[str] = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            targets |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return targets & set(FILES) - {name}


@pytest.mark.parametrize("name", BELOW_THE_APP)
def test_no_file_below_the_app_imports_it_or_casts_to_it(name: str) -> None:
    """``tui.main`` starts the app; all others know the shell, by an isinstance check in one place."""
    assert "tui.app" not in imports_of(name)
    text = FILES[name].read_text(encoding="utf-8")
    assert re.search(r"\bcast\(\s*[\"']?(App|FabricApp|Shell)\b", text) is None
    assert not re.search(r"\bTYPE_CHECKING\b", text)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("tui.screens.")])
def test_no_screen_imports_another(name: str) -> None:
    """What two of them need is below both."""
    assert not [target for target in imports_of(name) if target.startswith("tui.screens")]


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("tui.widgets.")])
def test_no_widget_knows_the_shell_or_a_screen(name: str) -> None:
    """Widgets are handed what they draw."""
    known = ("tui.shell", "tui.view", "tui.screens", "tui.actions", "tui.start", "tui.dialogues", "tui.session")
    assert not [target for target in imports_of(name) if target.startswith(known)]


def test_no_files_import_each_other_in_a_ring() -> None:
    """The app stands on screens, screens on the shell; the order exists."""
    try:
        order = list(TopologicalSorter({name: imports_of(name) for name in FILES}).static_order())
    except CycleError as error:
        pytest.fail(f"a ring of imports: {' -> '.join(error.args[1])}")
    assert order.index("tui.shell") < order.index("tui.screens.heat")
    assert order.index("tui.views") < order.index("tui.app")
