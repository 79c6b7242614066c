"""Sharing a cluster: what schedulers are given, where jobs and data belong, and who slows whom."""
