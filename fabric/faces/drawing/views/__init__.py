"""One file, one view of ``fabric draw``."""
