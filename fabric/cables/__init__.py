"""Every cable: its length and route, its medium, and a schedule that a technician can work from."""
