"""What pictures, reports and the terminal UI show, as values: heat maps, timelines, tables of columns."""
