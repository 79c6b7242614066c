"""How long things take and how much memory they need; ``python -m benchmarks`` prints the table."""
