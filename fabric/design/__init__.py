"""From a requirement to the fabrics that meet it: counted, priced, built, routed and failed."""
