"""Work over many processes and machines: one engine for failure sweeps, hash draws, what-if sweeps and designs."""
