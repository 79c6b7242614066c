"""What a run of a collective will show on a fabric, the mark it has to reach, and why it does not."""
