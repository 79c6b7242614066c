"""Cables as they are plugged held against the plan: what differs, and the shortest way to put it right."""
