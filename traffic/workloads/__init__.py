"""Kinds of workload: one file each, found by the registry."""
