"""What is generated in the documentation, one file a page; ``make docs`` writes it, a test compares."""
