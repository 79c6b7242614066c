"""The scenario file: its schema, its loading, and what is said about it when it is wrong."""
