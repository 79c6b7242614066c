"""One file, one dialect."""
