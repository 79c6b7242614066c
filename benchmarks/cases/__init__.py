"""Cases: one file each. A case prints one JSON object; ``seconds`` is what the runner reports."""
