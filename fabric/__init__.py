"""What happens: scenarios, routing, optimisation, evaluation, exports and the command line."""
