"""Why: who loads what, luck or structure, and what would cure it."""
