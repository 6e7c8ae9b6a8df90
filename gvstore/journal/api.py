"""The functions of `import gvstore as gv` that record, store and open."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from gvstore.journal.invocation import Invocation
from gvstore.journal.perform import last_invocation as last_of_store
from gvstore.journal.repository import Repository
from gvstore.journal.run import Run
from gvstore.reads import note
from gvstore.store.active import active_store, current_store, use_store
from gvstore.store.fault import NoActiveStore
from gvstore.store.ref import Ref

_INVOKE = "Use gv.invoke, which records into any store, or work inside `with gv.open('.'):`."

P = ParamSpec("P")
T = TypeVar("T")


def init(path: Path | str = ".") -> Repository:
    """Returns the repository in a folder, made if there is none."""
    return Repository.init(path)


def open(path: Path | str = ".") -> Repository:
    """Returns the repository in a folder, or the nearest above it.

    Raises:
        NotARepository: there is none.
    """
    return Repository.discover(path)


def use(path: Path | str | Repository = ".") -> Repository:
    """Makes a repository the active one wherever no `with` says otherwise; for notebooks and scripts."""
    repository = path if isinstance(path, Repository) else Repository.discover(path)
    use_store(repository.store)
    return repository


def run(subject: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Run[T]:
    """Returns the run of a function or Invokable on these arguments, recorded into the active repository.

    Raises:
        NoActiveStore: no repository is active.
        whatever it raises; the run is kept.
    """
    return _active_repository().run(subject, *args, **kwargs)


async def run_async(subject: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> Run[T]:
    """Returns the same of what is to be awaited.

    Raises:
        NoActiveStore: no repository is active.
        whatever it raises; the run is kept.
    """
    return await _active_repository().run_async(subject, *args, **kwargs)


def active_repository() -> Repository | None:
    """Returns the active repository, or None where there is none, or a store that is none."""
    repository = getattr(active_store(), "repository", None)
    return repository if isinstance(repository, Repository) else None


def _active_repository() -> Repository:
    repository = getattr(current_store(), "repository", None)
    if not isinstance(repository, Repository):
        raise NoActiveStore("the active store is no repository, and runs are a repository's", hint=_INVOKE)
    return repository


def put(value: T, *, name: str | None = None) -> Ref[T]:
    """Returns a reference to a value, stored in the active repository and kept until it is removed."""
    repository = getattr(current_store(), "repository", None)
    if isinstance(repository, Repository):
        return repository.put(value, name=name)
    return current_store().commit(value)


def read(path: Path | str) -> Path:
    """Notes that the running call, or the module that is being imported, depends on a file; returns its path.

    For what is opened where gvstore cannot see it, by code in C or another process: `load(gv.read("table.bin"))`.  What Python
    opens (`open`, `Path.read_text`, `os.open`) is noted by itself.  Files outside of the project do not count.
    """
    note(os.fspath(path))
    return Path(path)


def last_invocation() -> Invocation | None:
    """Returns the latest execution that this process recorded into the active store, also one that raised, or None."""
    return last_of_store(current_store())


def commit(value: T) -> Ref[T]:
    """Returns a reference to a value, stored in the active store."""
    return current_store().commit(value)


def checkout(ref: Ref[T]) -> T:
    """Returns the value that a reference names, from the active store."""
    return current_store().checkout(ref)
