"""What `__all__` says is the promise: sorted, complete, and nothing beside it."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import gvstore
from tests.transcript import ROOT

ROOMS = ["gvstore", *(m.name for m in pkgutil.iter_modules(gvstore.__path__, "gvstore.") if m.ispkg)]


@pytest.mark.parametrize("name", ROOMS)
def test_all_is_sorted_and_complete(name: str) -> None:
    """A room exports what its `__all__` names, and that is there."""
    room = importlib.import_module(name)
    promised = list(getattr(room, "__all__", []))
    public = {
        key
        for key, value in vars(room).items()
        if not key.startswith("_") and not isinstance(value, ModuleType) and key not in ("annotations", "TYPE_CHECKING")
    }

    assert sorted(promised) == promised
    assert len(set(promised)) == len(promised)
    assert [] == [key for key in promised if not hasattr(room, key)]
    assert set() == public - set(promised)


def test_every_export_is_documented() -> None:
    """A name that is promised says what it is."""
    names = getattr(gvstore, "__all__", [])

    assert [] == [n for n in names if callable(getattr(gvstore, n)) and not getattr(gvstore, n).__doc__]
    assert set(names) <= set(dir(gvstore))


def test_import_is_lazy() -> None:
    """`import gvstore` costs nothing: rooms come when a name is used."""
    code = "import sys, gvstore; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {m for m in done.stdout.split() if m.startswith("gvstore.")}

    assert loaded <= {"gvstore.version", "gvstore.reads"}
    assert not {"msgspec", "sqlite3", "zstandard", "blake3", "click", "rich"} & set(done.stdout.split())
