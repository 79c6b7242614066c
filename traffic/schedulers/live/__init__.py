"""Nodes read from a running scheduler, never written to it: the same documents that its commands print."""
