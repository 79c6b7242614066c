"""From where on a link counts as over its capacity."""

OVER = 1 + 1e-9  # utilisation above this is over capacity; a full link is not
