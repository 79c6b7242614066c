"""Multicommodity flow: what traffic may use, ways to improve a routing, and proofs of how far it is from the best."""
