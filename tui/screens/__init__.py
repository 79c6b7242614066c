"""One file, one screen of the session; its module has one ``SCREEN``, found by ``tui.views``."""
