"""What is wrong with numbers on a slide, and what a plan leaves unused or unprotected."""
