"""Closed forms of Clos-like networks, as constraints: what families are counted by."""
