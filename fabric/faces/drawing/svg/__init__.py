"""Pictures that are no graphs: matrices, timelines, racks, written as SVG."""
