"""Shell scripts that start a run: their plain assignments are followed, and nothing is executed."""
