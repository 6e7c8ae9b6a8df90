"""Git for executions: commit, diff, rewind and replay programs around samplers.

    import gvstore as gv

    @gv.register
    def roll(sides: int) -> int: ...

    with gv.init("demo") as repo:
        run = gv.run(roll, 6)
        again = run.rewind(0).replay()

This module is the whole promise: what `__all__` names.  Names are loaded when
they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from gvstore.version import __version__

if TYPE_CHECKING:
    from gvstore import models as models
    from gvstore.errors import GvError as GvError
    from gvstore.journal.api import checkout as checkout
    from gvstore.journal.api import commit as commit
    from gvstore.journal.api import init as init
    from gvstore.journal.api import open as open
    from gvstore.journal.api import put as put
    from gvstore.journal.api import run as run
    from gvstore.journal.api import use as use
    from gvstore.journal.fault import InvocationError as InvocationError
    from gvstore.journal.fault import ReplayError as ReplayError
    from gvstore.journal.invocation import Invocation as Invocation
    from gvstore.journal.invoke import invoke as invoke
    from gvstore.journal.invokable import Invokable as Invokable
    from gvstore.journal.recorder import report_usage as report_usage
    from gvstore.journal.register import register as register
    from gvstore.journal.repository import Repository as Repository
    from gvstore.journal.repository import file_store as FileStore
    from gvstore.journal.run import Run as Run
    from gvstore.objects.oid import ObjectId as ObjectId
    from gvstore.objects.placeholder import Opaque as Opaque
    from gvstore.store.ref import Ref as Ref
    from gvstore.store.store import InMemoryStore as InMemoryStore
    from gvstore.store.store import OpaqueWarning as OpaqueWarning
    from gvstore.store.store import Store as Store

_WHERE = {
    "FileStore": "journal.repository:file_store",
    "GvError": "errors:GvError",
    "InMemoryStore": "store.store:InMemoryStore",
    "Invocation": "journal.invocation:Invocation",
    "InvocationError": "journal.fault:InvocationError",
    "Invokable": "journal.invokable:Invokable",
    "ObjectId": "objects.oid:ObjectId",
    "Opaque": "objects.placeholder:Opaque",
    "OpaqueWarning": "store.store:OpaqueWarning",
    "Ref": "store.ref:Ref",
    "ReplayError": "journal.fault:ReplayError",
    "Repository": "journal.repository:Repository",
    "Run": "journal.run:Run",
    "Store": "store.store:Store",
    "checkout": "journal.api:checkout",
    "commit": "journal.api:commit",
    "init": "journal.api:init",
    "invoke": "journal.invoke:invoke",
    "models": "models:",
    "open": "journal.api:open",
    "put": "journal.api:put",
    "register": "journal.register:register",
    "report_usage": "journal.recorder:report_usage",
    "run": "journal.api:run",
    "use": "journal.api:use",
}

__all__ = [
    "FileStore",
    "GvError",
    "InMemoryStore",
    "Invocation",
    "InvocationError",
    "Invokable",
    "ObjectId",
    "Opaque",
    "OpaqueWarning",
    "Ref",
    "ReplayError",
    "Repository",
    "Run",
    "Store",
    "__version__",
    "checkout",
    "commit",
    "init",
    "invoke",
    "models",
    "open",
    "put",
    "register",
    "report_usage",
    "run",
    "use",
]


def __getattr__(name: str) -> object:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module 'gvstore' has no attribute {name!r}")
    module, _, attribute = where.partition(":")
    loaded = importlib.import_module(f"gvstore.{module}")
    value: object = getattr(loaded, attribute) if attribute else loaded
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
