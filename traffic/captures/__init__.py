"""Packet captures: records of a file, addresses of a frame, and packets that were captured twice."""
