"""The scenario file: its schema, its loading, and what is reported about it when it is wrong."""
