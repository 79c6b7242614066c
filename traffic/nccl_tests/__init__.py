"""Logs of nccl-tests: their text with whatever a launcher puts around it, and their JSON."""
