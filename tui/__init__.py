"""Terminal UI: shows results, computes nothing."""
