"""Names of the routers, readable without loading the compiled loops behind them."""

ROUTERS = ("ecmp", "optimal")
