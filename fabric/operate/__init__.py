"""The plan meets the machine room: what is observed there held against what was planned."""
