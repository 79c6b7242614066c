"""What schedulers are given of a fabric: its tree of switches, as files that they read."""
