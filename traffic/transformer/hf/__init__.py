"""Reading the ``config.json`` of Hugging Face repositories."""
