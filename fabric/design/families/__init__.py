"""One file, one family of fabrics to choose from."""
