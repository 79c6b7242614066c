"""Following exported tables from every source to every destination, from the files alone."""
