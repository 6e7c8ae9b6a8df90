"""`python -m gvstore` is `gv`."""

from __future__ import annotations

from gvstore.cli.main import main

if __name__ == "__main__":
    main()
