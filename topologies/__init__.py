"""What the network is: topologies, their builders, units and errors."""
