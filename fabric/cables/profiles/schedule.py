"""``schedule``: every cable as the command answers it: a table, CSV, JSON or Markdown."""

from fabric.cables.profile import Profile

SUMMARY = "every cable with both ends, length, medium, route, bundle and pull order; table, CSV or JSON"
ORDER = 10

PROFILE = Profile((".txt", ".csv", ".json", ".ndjson", ".md"), None, "technicians, spreadsheets, programs", True)
