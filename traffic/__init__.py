"""What the jobs send: ranks, placements, collectives, storage, and the demand they make."""
