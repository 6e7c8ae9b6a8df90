"""There and back: what every value of a library must survive."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from gvstore.objects.check import check
from gvstore.objects.placeholder import Opaque
from gvstore.odb import MemoryDatabase
from gvstore.store.store import Store
from tests.transcript import ROOT


class _Home:
    def __init__(self) -> None:
        self.objects = MemoryDatabase()


def there_and_back(value: Any) -> Any:
    """Returns what a value comes back as: stored again it has the same name, and its objects follow the format."""
    home = _Home()
    store = Store(home)
    ref = store.commit(value)
    back: Any = ref.checkout()

    assert type(back) is not Opaque, back
    assert ref == store.commit(back)
    for oid in home.objects:
        check(home.objects.read(oid))
    return back


def same_name(one: Any, other: Any) -> bool:
    """Returns whether two values are stored as the same object."""
    store = Store()
    return store.commit(one) == store.commit(other)


def in_new_process(code: str, *lines: str) -> str:
    """Returns what Python code prints in a process that has imported nothing; `lines` are its stdin."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, input="\n".join(lines), capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()
