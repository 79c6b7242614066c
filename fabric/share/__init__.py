"""Sharing a cluster: what schedulers are told, where jobs and data belong, and who slows whom."""
