"""What can fail, how network and jobs react, and what it costs: every case of a set, not a sample of them."""
