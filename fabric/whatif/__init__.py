"""The same scenario under changes: what-ifs."""
