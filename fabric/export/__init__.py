"""Renderings of results: JSON, CSV, tables, DOT."""
