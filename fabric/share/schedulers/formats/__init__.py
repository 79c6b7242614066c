"""Formats that schedulers and launchers take, one file each."""
