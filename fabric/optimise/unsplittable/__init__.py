"""Every flow on one path: bounds, constructions, local search and exact search; the router ``pinned``."""
