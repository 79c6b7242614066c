"""One file, one way to write a cable schedule."""
