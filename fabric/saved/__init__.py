"""Results as files: saved, read back, distinguished from scenarios."""
