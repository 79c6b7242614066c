"""Results as files: saved, read back, told from scenarios."""
