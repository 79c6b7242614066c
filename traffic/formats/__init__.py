"""Foreign demand formats: one file each."""
