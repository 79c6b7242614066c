"""OpenFlow 1.3: messages of a switch's table, a session with a switch, installing and reading back."""
