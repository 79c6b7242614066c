"""Flow tables: addresses, rules and weighted groups per switch, how they are written, pushed, verified and compared."""
