"""Shell text shared by scripts that talk to switches: ``SWITCH=TARGET`` as ``fabric push --switch`` takes it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

_HEAD = """\
# Sets stem (of its files) and target (as ovs-ofctl takes it) of one SWITCH=TARGET.
find_switch() {
    case $1 in
"""
_TAIL = """\
    *) echo "$(basename "$0"): no switch of this export in $1" >&2; exit 2 ;;
    esac
    case $target in
    '') echo "$(basename "$0"): $1 has no target" >&2; exit 2 ;;
    unix:* | tcp:* | ssl:*) ;;
    *:*) target=tcp:$target ;;
    esac
}
"""


def find_switch(names: Sequence[str], stems: Sequence[str]) -> str:
    """A shell function ``find_switch`` that knows switches by their names, and by the stems of their files.

    A name may hold "=": longer names come first.

    Examples
    --------
    >>> text = find_switch(["pod 1/leaf1"], ["pod_1_leaf1-25a634"])
    >>> "'pod 1/leaf1='*) stem=pod_1_leaf1-25a634 target=${1#'pod 1/leaf1='} ;;" in text
    True
    """
    known = {**dict(zip(stems, stems, strict=True)), **dict(zip(names, stems, strict=True))}
    lines = [_HEAD]
    for name in sorted(known, key=lambda name: (-len(name), name)):
        head = shlex.quote(f"{name}=")
        lines.append(f"    {head}*) stem={shlex.quote(known[name])} target=${{1#{head}}} ;;\n")
    return "".join((*lines, _TAIL))
