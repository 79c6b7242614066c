"""Decisions of programmed switches: weights, hash slots and the loads that follow."""
