"""WHICH CODE: source, definitions, hashes, and why a recorded answer no longer holds.  By reading, never importing."""
