from __future__ import annotations

import pytest

from tests.conftest import CommandLine


def test_values_that_calls_share_are_searched_once(gv: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that many calls were given is looked through once, and told for each."""
    from gvstore.journal.grep import RunSearch

    gv("init")
    gv.write(
        "many.py",
        "import gvstore as gv\n\n@gv.register\ndef one(i: int, text: str) -> int:\n    return i\n\n"
        "@gv.register\ndef main(text: str) -> int:\n    return sum(one(i, text) for i in range(20))\n",
    )
    gv("run", "many.py:main", "otters " * 300)
    looked, searched = [], RunSearch._searched

    def counted(self: RunSearch, encoded: bytes) -> object:
        looked.append(encoded)
        return searched(self, encoded)

    monkeypatch.setattr(RunSearch, "_searched", counted)
    found = gv("grep", "--runs", "-l", "otters").out.splitlines()

    assert ["run/1:/args/text", *(f"run/1:{n}/args/text" for n in range(20))] == found
    assert len(set(looked)) == len(looked) < 30
