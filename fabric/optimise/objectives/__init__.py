"""What an optimal routing is best at: one file, one objective, which says what it is where it registers."""
