"""Routers: one file each, found by the registry; all answer with offered load per link."""
