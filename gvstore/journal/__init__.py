"""WHAT RAN: recording, recovery, invocations, replay, rewind, runs; the public Repository."""
