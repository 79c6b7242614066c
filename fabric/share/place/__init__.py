"""Where a job belongs: what schedulers would choose, the best placement that a search finds, and a bound on both."""
