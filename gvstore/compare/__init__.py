"""HOW two things differ: texts, values, trees of files, trees of calls.  Pure, and data only: the command line draws it."""
