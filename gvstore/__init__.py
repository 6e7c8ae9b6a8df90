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
    from gvstore.journal.api import last_invocation as last_invocation
    from gvstore.journal.api import open as open
    from gvstore.journal.api import put as put
    from gvstore.journal.api import run as run
    from gvstore.journal.api import run_async as run_async
    from gvstore.journal.api import use as use
    from gvstore.journal.callargs import CallArgs as CallArgs
    from gvstore.journal.fault import FrameworkError as FrameworkError
    from gvstore.journal.fault import IncompleteSubinvocationError as IncompleteSubinvocationError
    from gvstore.journal.fault import InputChanged as InputChanged
    from gvstore.journal.fault import InputRequestOutsideInvocation as InputRequestOutsideInvocation
    from gvstore.journal.fault import InvocationBuildFailure as InvocationBuildFailure
    from gvstore.journal.fault import InvocationError as InvocationError
    from gvstore.journal.fault import InvokableTypeError as InvokableTypeError
    from gvstore.journal.fault import NotOpen as NotOpen
    from gvstore.journal.fault import ReplayError as ReplayError
    from gvstore.journal.fault import RequestedTypeUndetermined as RequestedTypeUndetermined
    from gvstore.journal.generator import InvocationGenerator as InvocationGenerator
    from gvstore.journal.invocation import Invocation as Invocation
    from gvstore.journal.invokable import AsyncInvokable as AsyncInvokable
    from gvstore.journal.invokable import AsyncInvokableBase as AsyncInvokableBase
    from gvstore.journal.invokable import Invokable as Invokable
    from gvstore.journal.invokable import InvokableBase as InvokableBase
    from gvstore.journal.invokable import typed_invokable as typed_invokable
    from gvstore.journal.invoke import invoke as invoke
    from gvstore.journal.invoke import invoke_async as invoke_async
    from gvstore.journal.question import InputRequest as InputRequest
    from gvstore.journal.question import RequestInput as RequestInput
    from gvstore.journal.question import request_input as request_input
    from gvstore.journal.raised import ExceptionResource as ExceptionResource
    from gvstore.journal.raised import NativeException as NativeException
    from gvstore.journal.recorder import report_usage as report_usage
    from gvstore.journal.register import register as register
    from gvstore.journal.replay_context import ReplayContext as ReplayContext
    from gvstore.journal.repository import Repository as Repository
    from gvstore.journal.repository import file_store as FileStore
    from gvstore.journal.request import Request as Request
    from gvstore.journal.request import Response as Response
    from gvstore.journal.run import Run as Run
    from gvstore.journal.summary import invocation_summary as invocation_summary
    from gvstore.objects.oid import ObjectId as ObjectId
    from gvstore.objects.placeholder import Opaque as Opaque
    from gvstore.store.ref import Ref as Ref
    from gvstore.store.store import InMemoryStore as InMemoryStore
    from gvstore.store.store import OpaqueWarning as OpaqueWarning
    from gvstore.store.store import Store as Store

_WHERE = {
    "AsyncInvokable": "journal.invokable:AsyncInvokable",
    "AsyncInvokableBase": "journal.invokable:AsyncInvokableBase",
    "CallArgs": "journal.callargs:CallArgs",
    "ExceptionResource": "journal.raised:ExceptionResource",
    "FileStore": "journal.repository:file_store",
    "FrameworkError": "journal.fault:FrameworkError",
    "GvError": "errors:GvError",
    "InMemoryStore": "store.store:InMemoryStore",
    "IncompleteSubinvocationError": "journal.fault:IncompleteSubinvocationError",
    "InputChanged": "journal.fault:InputChanged",
    "InputRequest": "journal.question:InputRequest",
    "InputRequestOutsideInvocation": "journal.fault:InputRequestOutsideInvocation",
    "Invocation": "journal.invocation:Invocation",
    "InvocationBuildFailure": "journal.fault:InvocationBuildFailure",
    "InvocationError": "journal.fault:InvocationError",
    "InvocationGenerator": "journal.generator:InvocationGenerator",
    "Invokable": "journal.invokable:Invokable",
    "InvokableBase": "journal.invokable:InvokableBase",
    "InvokableTypeError": "journal.fault:InvokableTypeError",
    "NativeException": "journal.raised:NativeException",
    "NotOpen": "journal.fault:NotOpen",
    "ObjectId": "objects.oid:ObjectId",
    "Opaque": "objects.placeholder:Opaque",
    "OpaqueWarning": "store.store:OpaqueWarning",
    "Ref": "store.ref:Ref",
    "ReplayContext": "journal.replay_context:ReplayContext",
    "ReplayError": "journal.fault:ReplayError",
    "Repository": "journal.repository:Repository",
    "Request": "journal.request:Request",
    "RequestInput": "journal.question:RequestInput",
    "RequestedTypeUndetermined": "journal.fault:RequestedTypeUndetermined",
    "Response": "journal.request:Response",
    "Run": "journal.run:Run",
    "Store": "store.store:Store",
    "checkout": "journal.api:checkout",
    "commit": "journal.api:commit",
    "init": "journal.api:init",
    "invocation_summary": "journal.summary:invocation_summary",
    "invoke": "journal.invoke:invoke",
    "invoke_async": "journal.invoke:invoke_async",
    "last_invocation": "journal.api:last_invocation",
    "models": "models:",
    "open": "journal.api:open",
    "put": "journal.api:put",
    "register": "journal.register:register",
    "report_usage": "journal.recorder:report_usage",
    "request_input": "journal.question:request_input",
    "run": "journal.api:run",
    "run_async": "journal.api:run_async",
    "typed_invokable": "journal.invokable:typed_invokable",
    "use": "journal.api:use",
}

__all__ = [
    "AsyncInvokable",
    "AsyncInvokableBase",
    "CallArgs",
    "ExceptionResource",
    "FileStore",
    "FrameworkError",
    "GvError",
    "InMemoryStore",
    "IncompleteSubinvocationError",
    "InputChanged",
    "InputRequest",
    "InputRequestOutsideInvocation",
    "Invocation",
    "InvocationBuildFailure",
    "InvocationError",
    "InvocationGenerator",
    "Invokable",
    "InvokableBase",
    "InvokableTypeError",
    "NativeException",
    "NotOpen",
    "ObjectId",
    "Opaque",
    "OpaqueWarning",
    "Ref",
    "ReplayContext",
    "ReplayError",
    "Repository",
    "Request",
    "RequestInput",
    "RequestedTypeUndetermined",
    "Response",
    "Run",
    "Store",
    "__version__",
    "checkout",
    "commit",
    "init",
    "invocation_summary",
    "invoke",
    "invoke_async",
    "last_invocation",
    "models",
    "open",
    "put",
    "register",
    "report_usage",
    "request_input",
    "run",
    "run_async",
    "typed_invokable",
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
