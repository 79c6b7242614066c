"""Names of the routers, readable without loading the compiled loops behind them."""

ROUTERS = ("ecmp", "ecmp-hash", "optimal")
PER_FLOW_ROUTERS = ("ecmp-hash",)  # these place single flows, so every multi-homed endpoint is a terminal of its own
