"""What people meet, all from one run: tables, answers of commands, drawings, reports, explanations."""
