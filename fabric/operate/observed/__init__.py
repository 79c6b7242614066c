"""Who hears whom: what switches, hosts and subnet managers tell of their neighbours, one file one format."""
