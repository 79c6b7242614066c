"""What schedulers print about their nodes: read, and declared field by field."""
