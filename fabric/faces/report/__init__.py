"""One report of a routed scenario: a page that needs no network, Markdown, JSON."""
