"""``docs/reading.md``: what every field of every format that is read does to an answer."""

from __future__ import annotations

import importlib
import pkgutil

from topologies.reading.fields import DECLARED, DeclaredFields

HEAD = """# What is read, and what becomes of it

<!-- Written by make docs; edit the declarations beside the readers. -->

Every field, flag, state, class and unit that can change an answer, by format.

- *modelled*: the answer follows it;
- *refused*: the file is not taken, unless the key named takes it knowingly;
- *reported*: the answer leaves it out, and says so on standard error and among its assumptions;
- *harmless*: it cannot change an answer.

A name that ends in `*` stands for all names that begin so.
"""
_PACKAGES = ("topologies", "traffic", "fabric")
_UNKNOWN = {
    "reported": "A field that is not listed is reported.",
    "refused": "A field that is not listed is refused.",
    "harmless": "What is not listed is free text there.",
}


def declarations() -> list[DeclaredFields]:
    """All there are; every module is imported, since a declaration stands beside its reader."""
    for package in _PACKAGES:
        top = importlib.import_module(package)
        for module in pkgutil.walk_packages(top.__path__, f"{package}."):
            if not module.ispkg:
                importlib.import_module(module.name)
    return [DECLARED[key] for key in sorted(DECLARED)]


def page(_: str) -> str:
    """The whole page."""
    parts = [HEAD]
    kind = ""
    for declared in declarations():
        if declared.kind != kind:
            kind = declared.kind
            parts.append(f"\n## {kind[:1].upper()}{kind[1:]}\n")
        parts.append(f"\n### {declared.reader}\n\nSource: {declared.source}. {_UNKNOWN[declared.unknown]}\n")
        parts.append("\n| field | | what it says, and what becomes of it |\n| --- | --- | --- |\n")
        for field in declared:
            taken = f"; `{field.accept}` takes it knowingly" if field.accept else ""
            parts.append(f"| `{_cell(field.name)}` | {field.treatment} | {_cell(field.effect)}{taken} |\n")
    return "".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "&#124;").replace("<", "&lt;")
