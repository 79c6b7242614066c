"""What the keys of the shell do, by subject; the keys themselves are in ``tui.keys``."""
