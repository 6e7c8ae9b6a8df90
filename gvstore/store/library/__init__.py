"""Adapters: how values of common libraries are stored, a file a library, loaded when the program has loaded the library."""
