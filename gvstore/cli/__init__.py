"""The only room with a terminal and an exit status.

Commands call rooms and hand a result to `output`; no room below knows of this one.
"""
