"""How fabrics of every kind grow, one file a kind."""
