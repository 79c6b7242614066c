"""The cabling view: what is plugged otherwise than planned, as it is and as it should be, racks as clusters."""

from __future__ import annotations

from fabric.faces.drawing.cabling import cabling_dot
from fabric.faces.drawing.view import Drawn, Picture, View
from topologies.errors import FormatError


def _view(drawn: Drawn, picture: Picture) -> str:
    raise FormatError("nothing was observed", hint="--observed lldp:FOLDER says what is plugged", code="FP6603")


SUMMARY = "what is plugged otherwise than planned, with --observed"
ORDER = 68
VIEW = View("dot", _view, of_links=False, of_observed=cabling_dot)
