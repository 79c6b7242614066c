"""Synthetic demand: one file, one pattern."""
