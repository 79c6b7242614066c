"""What a plan costs, draws and weighs on the climate: every part counted, priced, with its source."""
