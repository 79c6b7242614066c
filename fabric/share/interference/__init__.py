"""Several jobs on one fabric: who slows whom, on which link, and by which time shifts they would not."""
