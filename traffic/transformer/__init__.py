"""The model: its shape, parameters, floating-point work, and the files that describe it."""
