"""The order of the stages: scenario, network, traffic, routing, evaluation, tables."""
