"""Screens from the start until a scenario is open."""
