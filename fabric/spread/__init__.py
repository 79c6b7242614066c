"""Work over many processes and machines: one engine for failure sweeps, draws of the hash, what-if sweeps and designs."""
