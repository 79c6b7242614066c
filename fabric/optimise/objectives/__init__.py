"""What an optimal routing is best at: one file, one objective, each with ``solve(graph, demand, options)``."""
