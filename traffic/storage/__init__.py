"""Storage traffic: who keeps what, and what clients, copies, tiers and repairs send."""
