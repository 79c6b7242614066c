"""Placements: one file, one policy that puts ranks on GPUs."""
