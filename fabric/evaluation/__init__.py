"""Utilisation, congestion causes, job times and limits of a routed phase."""
