"""Work on switches and cables in windows: which together, in which order, and what every state costs."""
