"""Two results side by side: what was gained, lost and changed."""
