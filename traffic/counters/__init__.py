"""Counters of hosts, as monitoring systems print them."""
