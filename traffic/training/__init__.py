"""A training job: its keys, the bytes of every dimension of its layout, and the phases of a step."""
