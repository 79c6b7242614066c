"""Tenants in exported tables: who they are, what keeps them apart, and the proof that it does."""
