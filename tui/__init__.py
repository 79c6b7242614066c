"""The terminal UI: what the planner computed, looked at with keys. No arithmetic on the network happens here."""
