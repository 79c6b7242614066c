"""Cases of routers that split by a rule: what a failure touches is followed, as differences to the intact state."""
