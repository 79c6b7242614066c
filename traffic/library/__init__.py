"""The collective library: which algorithm and protocol it takes, over how many connections, and what a call costs."""
