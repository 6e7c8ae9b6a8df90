"""One file a command, imported when the command is called.

Each exports `command`.  Its body parses, calls rooms, and ends in `cx.output.result(...)`.
The table of their names is in `gvstore.cli.table`.
"""
