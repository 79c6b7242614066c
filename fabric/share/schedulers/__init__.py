"""What schedulers are told of a fabric: its tree of switches, and the files that they take."""
