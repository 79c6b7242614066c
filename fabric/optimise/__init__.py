"""Multicommodity flow: formulate, solve, extract, certify."""
