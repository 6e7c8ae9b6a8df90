"""The tests; folders mirror those of gvstore."""
