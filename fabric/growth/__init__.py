"""Growth in stages: what is bought and re-cabled when, and in which order, without the fabric ever being too slow."""
