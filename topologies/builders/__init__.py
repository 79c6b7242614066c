"""Builders of topologies: one file each, found by the registry."""
