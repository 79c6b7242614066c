"""Pictures that are not graphs: matrices, timelines, racks, written as SVG."""
