"""Pictures of fabrics and their loads, as Graphviz and SVG."""
