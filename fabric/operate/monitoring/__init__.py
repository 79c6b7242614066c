"""Rules, alerts, their tests and dashboards whose thresholds come from the plan."""
