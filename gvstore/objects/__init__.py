"""WHAT is stored, and all that determines an oid.  Pure: no input, no output."""
