"""What a browser or a scraper reads of a plan, over HTTP."""
