"""Reading what others wrote: guarded parsers, and what each field of a format does to our answers."""
