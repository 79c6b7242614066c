"""Where things stand in the machine room: racks, trays, and a place for every host and switch."""
