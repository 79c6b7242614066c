"""Widgets on the line API: drawn row by row, however many rows there are."""
