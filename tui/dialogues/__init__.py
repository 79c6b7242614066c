"""Dialogues that every screen may open: text to read, a line to fill in, rows to choose from."""
