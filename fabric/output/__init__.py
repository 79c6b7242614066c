"""How answers are written, whatever they say: documents, tables, rows, numbers, whole files."""
