"""Write every generated page: ``make docs``."""

from __future__ import annotations

import sys

from generate.pages import ROOT, pages

for path, text in pages().items():
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
