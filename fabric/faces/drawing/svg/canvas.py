"""A small SVG writer: escaped text, rectangles with tooltips, a heading and the legend of bands.

Readable on screen in light and dark (``prefers-color-scheme``) and in print; no scripts, nothing from elsewhere.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from xml.sax.saxutils import escape

import numpy as np

from fabric.faces.drawing.dot import printable
from fabric.faces.views.bands import BANDS, DOWN

CHAR = 6.6  # width of a character of 11 px, about
_STYLE = """
text{font:11px Helvetica,Arial,sans-serif;fill:#111}
.t{font-size:14px;font-weight:bold}.f{fill:#555}.m{text-anchor:middle}.e{text-anchor:end}
.bg{fill:#fff}.line{stroke:#999;stroke-width:1}.box{stroke:#888;stroke-width:.5}
@media (prefers-color-scheme:dark){text{fill:#e6e6e6}.f{fill:#aaa}.bg{fill:#12161c}.on{fill:inherit}}
@media print{text{fill:#111}.f{fill:#555}.bg{fill:#fff}}
"""


class Canvas:
    """Shapes in the order they are drawn; sizes in pixels."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.width = self.height = 0.0

    def _grow(self, right: float, bottom: float) -> None:
        self.width, self.height = max(self.width, right), max(self.height, bottom)

    def text(
        self, x: float, y: float, words: str, *, kind: str = "", ink: str = "", tip: str = "", turn: float = 0
    ) -> None:
        """Words; ``kind`` are classes of the style: t title, f faint, m centred, e right-aligned; ``turn`` degrees."""
        turned = f' transform="rotate({turn:g} {x:.1f} {y:.1f})"' if turn else ""
        style = f' style="fill:{ink}"' if ink else ""
        title = f"<title>{_safe(tip)}</title>" if tip else ""
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{style}{turned}>{_safe(words)}{title}</text>')
        length = 0.0 if turn else len(words) * CHAR * (1.3 if "t" in kind.split() else 1)
        self._grow(x + (0 if "e" in kind.split() else length / 2 if "m" in kind.split() else length), y + 4)

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str,
        *,
        tip: str = "",
        edge: str = "",
        dash: str = "",
    ) -> None:
        """A filled rectangle with a tooltip."""
        stroke = f' stroke="{edge}"' if edge else ""
        title = f"<title>{_safe(tip)}</title>" if tip else ""
        body = f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.2f}" height="{height:.2f}" fill="{fill}"{stroke}'
        self._parts.append(f"{body}>{title}</rect>" if title else f"{body}/>")
        self._grow(x + width, y + height)

    def line(self, x: float, y: float, to_x: float, to_y: float, *, kind: str = "line") -> None:
        """A thin line; ``kind`` box: half as thin."""
        self._parts.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" class="{kind}"/>')
        self._grow(max(x, to_x), max(y, to_y))

    def curve(self, points: Sequence[tuple[float, float]], ink: str, *, width: float = 2, dash: str = "") -> None:
        """A line through points."""
        stroke = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{_points(points)}" fill="none" stroke="{ink}" stroke-width="{width:g}"{stroke}/>'
        )
        self._grow(max(x for x, _ in points), max(y for _, y in points))

    def area(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        """A half-transparent area inside points, under what is drawn after it."""
        self._parts.append(f'<polygon points="{_points(points)}" fill="{fill}" fill-opacity="0.28"/>')
        self._grow(max(x for x, _ in points), max(y for _, y in points))

    def dot(self, x: float, y: float, fill: str, *, tip: str = "") -> None:
        """A small disc with a tooltip."""
        title = f"<title>{_safe(tip)}</title>" if tip else ""
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{fill}">{title}</circle>')
        self._grow(x + 4, y + 4)

    def image(self, x: float, y: float, width: float, height: float, pixels: np.ndarray) -> None:
        """An image of (rows, columns, 3) bytes, one pixel stretched to a cell."""
        data = base64.b64encode(png_bytes(pixels)).decode()
        self._parts.append(
            f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
            f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        )
        self._grow(x + width, y + height)

    def heading(self, lines: Sequence[str], *, left: float = 12) -> float:
        """Heading lines; returns where the picture may begin."""
        y = 24.0
        for at, words in enumerate(lines):
            self.text(left, y, words, kind="t" if at == 0 else "f")
            y += 18 if at == 0 else 15
        return y

    def legend(self, x: float, y: float) -> None:
        """The bands of utilisation."""
        for entry in (*BANDS, DOWN):
            self.rectangle(x, y - 10, 14, 12, entry.colour, edge="#888")
            self.text(x + 18, y, entry.text, kind="f")
            if entry is DOWN:  # what cells of the pictures show on the colour
                self.text(x + 7, y, entry.mark, kind="m", ink=entry.ink)
            x += 30 + len(entry.text) * CHAR

    def svg(self) -> str:
        """The document."""
        width, height = self.width + 14, self.height + 14
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}">\n<style>{_STYLE}</style>\n'
            f'<rect class="bg" width="100%" height="100%"/>\n' + "\n".join(self._parts) + "\n</svg>\n"
        )


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _safe(text: str) -> str:
    return escape(printable(text), {'"': "&quot;"})


def png_bytes(pixels: np.ndarray) -> bytes:
    """An RGB image, shape (rows, columns, 3), as PNG (RFC 2083): no filter, one stream."""
    rows, columns, _ = pixels.shape
    raw = np.zeros((rows, 1 + 3 * columns), np.uint8)
    raw[:, 1:] = pixels.reshape(rows, 3 * columns)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    body = zlib.compress(raw.tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
