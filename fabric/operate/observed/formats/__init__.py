"""Formats of observed neighbours, one file each; each declares ``SUMMARY``, ``ORDER`` and ``FORMAT``."""
