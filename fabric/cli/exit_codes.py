"""Exit codes of every command."""

OK, ANSWER_IS_NO, USAGE, BAD_INPUT, NO_ANSWER, MISSING_PROGRAM, PARTIAL = 0, 1, 2, 3, 4, 5, 6
INTERNAL, INTERRUPTED, BROKEN_PIPE = 70, 130, 141
BY_SIGNAL = 128  # plus the number of the signal that ended the work: 129, 130, 143
