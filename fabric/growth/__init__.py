"""How a cluster grows: what each stage buys and re-cables, and what works meanwhile."""
