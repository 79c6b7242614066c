"""Cases that are the same but for names: automorphisms of fabric, placement and demand, each proved; their orbits."""
