"""Collectives: one file, one algorithm that turns a group and bytes into pairwise bytes."""
