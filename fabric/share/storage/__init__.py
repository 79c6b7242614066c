"""Where the data of a storage cluster belongs: failure domain, nearest reads, device class, and files that say so."""
