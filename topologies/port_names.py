"""Vendors' names of switch ports: templates of the catalogue, filled in for whole columns of ports."""

from __future__ import annotations

import string
from collections.abc import Sequence

FIELDS = ("port", "cage", "split", "lane")
"""What a template may name: port and cage from 1, split of a cage or a breakout from 1, lane from 0."""

PLAIN = "port{port}"
PLAIN_SPLIT = "port{port}/{split}"


def check_port_template(template: str) -> str:
    """Refuse a template that cannot be filled in.

    >>> check_port_template("swp{port}s{lane}")
    'swp{port}s{lane}'

    Raises
    ------
    ValueError
        When it names something else, is not a template, or would give every port one name.
    """
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
        template.format(port=1, cage=1, split=1, lane=0)
    except (ValueError, KeyError, IndexError, AttributeError):
        names = [""]
    wrong = [name for name in names if name not in FIELDS]
    if wrong or not names:
        raise ValueError(
            f"{template!r} is not a template of port names; write for example swp{{port}} or {{cage}}/{{split}}, "
            f"with {', '.join('{' + name + '}' for name in FIELDS)}"
        )
    return template


def port_names(
    template: str | None,
    split_template: str | None,
    *,
    port: Sequence[int],
    cage: Sequence[int],
    split: Sequence[int],
    lane: Sequence[int],
    broken: Sequence[bool],
) -> list[str]:
    """Names of ports.

    Parameters
    ----------
    template, split_template : str or None
        Of whole ports, and of the parts of a port that is broken out; None: ``port3`` and ``port3/1``.
    port, cage : sequence of int
        From 1.
    split : sequence of int
        Place among the links of the cage, from 1.
    lane : sequence of int
        Place among the parts of the port, from 0.
    broken : sequence of bool
        Whether the port is broken out.

    >>> port_names("swp{port}", "swp{port}s{lane}", port=[1, 2], cage=[1, 2], split=[1, 2], lane=[0, 1],
    ...            broken=[False, True])
    ['swp1', 'swp2s1']
    >>> port_names("{cage}/{split}", None, port=[3], cage=[2], split=[1], lane=[0], broken=[False])
    ['2/1']
    """
    whole = template or PLAIN
    parts = split_template or (PLAIN_SPLIT if template is None else _told_apart(template))
    return [
        (parts if is_broken else whole).format(port=number, cage=box, split=place, lane=part)
        for number, box, place, part, is_broken in zip(port, cage, split, lane, broken, strict=True)
    ]


def _told_apart(template: str) -> str:
    """A template of whole ports, with the part behind it where nothing in it says the part."""
    return template if "{split" in template or "{lane" in template else template + "/{split}"
