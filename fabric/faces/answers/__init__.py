"""What each command answers: documents for people, records for machines."""
