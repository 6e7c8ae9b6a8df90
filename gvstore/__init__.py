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

from gvstore import reads
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
    from gvstore.journal.api import read as read
    from gvstore.journal.api import run as run
    from gvstore.journal.api import run_async as run_async
    from gvstore.journal.api import use as use
    from gvstore.journal.block import record as record
    from gvstore.journal.callargs import CallArgs as CallArgs
    from gvstore.journal.effect import EffectHeld as EffectHeld
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
    from gvstore.journal.file_backend import FileBackend as FileBackend
    from gvstore.journal.generator import InvocationGenerator as InvocationGenerator
    from gvstore.journal.invocation import Invocation as Invocation
    from gvstore.journal.invokable import AsyncInvokable as AsyncInvokable
    from gvstore.journal.invokable import AsyncInvokableBase as AsyncInvokableBase
    from gvstore.journal.invokable import Invokable as Invokable
    from gvstore.journal.invokable import InvokableBase as InvokableBase
    from gvstore.journal.invokable import typed_invokable as typed_invokable
    from gvstore.journal.invoke import invoke as invoke
    from gvstore.journal.invoke import invoke_async as invoke_async
    from gvstore.journal.processes import propagate as propagate
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
    from gvstore.store import contexts as contexts
    from gvstore.store import digests as digests
    from gvstore.store import distribution as distribution_registry
    from gvstore.store import pretty_print as pretty_print
    from gvstore.store import references as references
    from gvstore.store import registry as resource_registry
    from gvstore.store import resource as interfaces
    from gvstore.store import serialization as serialization
    from gvstore.store import type_inference as type_inference
    from gvstore.store import types as types
    from gvstore.store import walk as utils
    from gvstore.store import wrappers as type_wrappers
    from gvstore.store.backend import InMemoryBackend as InMemoryBackend
    from gvstore.store.backend import StorageBackend as StorageBackend
    from gvstore.store.digests import resource_digest as resource_digest
    from gvstore.store.distribution import get_distribution_key as get_distribution_key
    from gvstore.store.distribution import get_path_distribution_key as get_path_distribution_key
    from gvstore.store.distribution import register_distribution as register_distribution
    from gvstore.store.fault import CycleDetected as CycleDetected
    from gvstore.store.fault import DeserializationError as DeserializationError
    from gvstore.store.fault import DistributionKeyError as DistributionKeyError
    from gvstore.store.fault import FieldTypeError as FieldTypeError
    from gvstore.store.fault import MissingWrapperError as MissingWrapperError
    from gvstore.store.fault import NoActiveContext as NoActiveContext
    from gvstore.store.fault import NotFound as NotFound
    from gvstore.store.fault import RefError as RefError
    from gvstore.store.fault import RegistryError as RegistryError
    from gvstore.store.fault import SerializationError as SerializationError
    from gvstore.store.fault import TypeInferenceFailed as TypeInferenceFailed
    from gvstore.store.fault import TypeKeyError as TypeKeyError
    from gvstore.store.fault import UnregisteredResource as UnregisteredResource
    from gvstore.store.packed import PackedResource as PackedResource
    from gvstore.store.pretty_print import PPrinter as PPrinter
    from gvstore.store.pretty_print import PPValue as PPValue
    from gvstore.store.pretty_print import pformat as pformat
    from gvstore.store.pretty_print import pprint as pprint
    from gvstore.store.ref import Ref as Ref
    from gvstore.store.registry import Registry as Registry
    from gvstore.store.registry import deepcopy as deepcopy
    from gvstore.store.registry import from_python_type as from_python_type
    from gvstore.store.registry import to_python_type as to_python_type
    from gvstore.store.registry import unwrap as unwrap
    from gvstore.store.registry import wrap as wrap
    from gvstore.store.resource import FieldValue as FieldValue
    from gvstore.store.resource import ImmutableResource as ImmutableResource
    from gvstore.store.resource import Resource as Resource
    from gvstore.store.resource import ResourceBase as ResourceBase
    from gvstore.store.resource import ResourceDict as ResourceDict
    from gvstore.store.resource import ResourceDictValue as ResourceDictValue
    from gvstore.store.resource import ResourceWrapper as ResourceWrapper
    from gvstore.store.resource import TypeWrapper as TypeWrapper
    from gvstore.store.resource import TypeWrapperBase as TypeWrapperBase
    from gvstore.store.serialization import JsonSerializer as JsonSerializer
    from gvstore.store.serialization import Serializer as Serializer
    from gvstore.store.store import InMemoryStore as InMemoryStore
    from gvstore.store.store import OpaqueWarning as OpaqueWarning
    from gvstore.store.store import Store as Store
    from gvstore.store.store import checkout_async as checkout_async
    from gvstore.store.store import commit_async as commit_async
    from gvstore.store.types import DistributionKey as DistributionKey
    from gvstore.store.types import TypeDescriptor as TypeDescriptor
    from gvstore.store.types import TypeKey as TypeKey

_WHERE = {
    "AsyncInvokable": "journal.invokable:AsyncInvokable",
    "AsyncInvokableBase": "journal.invokable:AsyncInvokableBase",
    "CallArgs": "journal.callargs:CallArgs",
    "CycleDetected": "store.fault:CycleDetected",
    "DeserializationError": "store.fault:DeserializationError",
    "DistributionKey": "store.types:DistributionKey",
    "DistributionKeyError": "store.fault:DistributionKeyError",
    "EffectHeld": "journal.effect:EffectHeld",
    "ExceptionResource": "journal.raised:ExceptionResource",
    "FieldTypeError": "store.fault:FieldTypeError",
    "FieldValue": "store.resource:FieldValue",
    "FileBackend": "journal.file_backend:FileBackend",
    "FileStore": "journal.repository:file_store",
    "FrameworkError": "journal.fault:FrameworkError",
    "GvError": "errors:GvError",
    "ImmutableResource": "store.resource:ImmutableResource",
    "InMemoryBackend": "store.backend:InMemoryBackend",
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
    "JsonSerializer": "store.serialization:JsonSerializer",
    "MissingWrapperError": "store.fault:MissingWrapperError",
    "NativeException": "journal.raised:NativeException",
    "NoActiveContext": "store.fault:NoActiveContext",
    "NotFound": "store.fault:NotFound",
    "NotOpen": "journal.fault:NotOpen",
    "ObjectId": "objects.oid:ObjectId",
    "Opaque": "objects.placeholder:Opaque",
    "OpaqueWarning": "store.store:OpaqueWarning",
    "PPValue": "store.pretty_print:PPValue",
    "PPrinter": "store.pretty_print:PPrinter",
    "PackedResource": "store.packed:PackedResource",
    "Ref": "store.ref:Ref",
    "RefError": "store.fault:RefError",
    "Registry": "store.registry:Registry",
    "RegistryError": "store.fault:RegistryError",
    "ReplayContext": "journal.replay_context:ReplayContext",
    "ReplayError": "journal.fault:ReplayError",
    "Repository": "journal.repository:Repository",
    "Request": "journal.request:Request",
    "RequestInput": "journal.question:RequestInput",
    "RequestedTypeUndetermined": "journal.fault:RequestedTypeUndetermined",
    "Resource": "store.resource:Resource",
    "ResourceBase": "store.resource:ResourceBase",
    "ResourceDict": "store.resource:ResourceDict",
    "ResourceDictValue": "store.resource:ResourceDictValue",
    "ResourceWrapper": "store.resource:ResourceWrapper",
    "Response": "journal.request:Response",
    "Run": "journal.run:Run",
    "SerializationError": "store.fault:SerializationError",
    "Serializer": "store.serialization:Serializer",
    "StorageBackend": "store.backend:StorageBackend",
    "Store": "store.store:Store",
    "TypeDescriptor": "store.types:TypeDescriptor",
    "TypeInferenceFailed": "store.fault:TypeInferenceFailed",
    "TypeKey": "store.types:TypeKey",
    "TypeKeyError": "store.fault:TypeKeyError",
    "TypeWrapper": "store.resource:TypeWrapper",
    "TypeWrapperBase": "store.resource:TypeWrapperBase",
    "UnregisteredResource": "store.fault:UnregisteredResource",
    "checkout": "journal.api:checkout",
    "checkout_async": "store.store:checkout_async",
    "commit": "journal.api:commit",
    "commit_async": "store.store:commit_async",
    "contexts": "store.contexts:",
    "deepcopy": "store.registry:deepcopy",
    "digests": "store.digests:",
    "distribution_registry": "store.distribution:",
    "from_python_type": "store.registry:from_python_type",
    "get_distribution_key": "store.distribution:get_distribution_key",
    "get_path_distribution_key": "store.distribution:get_path_distribution_key",
    "init": "journal.api:init",
    "interfaces": "store.resource:",
    "invocation_summary": "journal.summary:invocation_summary",
    "invoke": "journal.invoke:invoke",
    "invoke_async": "journal.invoke:invoke_async",
    "last_invocation": "journal.api:last_invocation",
    "models": "models:",
    "open": "journal.api:open",
    "pformat": "store.pretty_print:pformat",
    "pprint": "store.pretty_print:pprint",
    "pretty_print": "store.pretty_print:",
    "propagate": "journal.processes:propagate",
    "put": "journal.api:put",
    "read": "journal.api:read",
    "record": "journal.block:record",
    "references": "store.references:",
    "register": "journal.register:register",
    "register_distribution": "store.distribution:register_distribution",
    "report_usage": "journal.recorder:report_usage",
    "request_input": "journal.question:request_input",
    "resource_digest": "store.digests:resource_digest",
    "resource_registry": "store.registry:",
    "run": "journal.api:run",
    "run_async": "journal.api:run_async",
    "serialization": "store.serialization:",
    "to_python_type": "store.registry:to_python_type",
    "type_inference": "store.type_inference:",
    "type_wrappers": "store.wrappers:",
    "typed_invokable": "journal.invokable:typed_invokable",
    "types": "store.types:",
    "unwrap": "store.registry:unwrap",
    "use": "journal.api:use",
    "utils": "store.walk:",
    "wrap": "store.registry:wrap",
}

__all__ = [
    "AsyncInvokable",
    "AsyncInvokableBase",
    "CallArgs",
    "CycleDetected",
    "DeserializationError",
    "DistributionKey",
    "DistributionKeyError",
    "EffectHeld",
    "ExceptionResource",
    "FieldTypeError",
    "FieldValue",
    "FileBackend",
    "FileStore",
    "FrameworkError",
    "GvError",
    "ImmutableResource",
    "InMemoryBackend",
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
    "JsonSerializer",
    "MissingWrapperError",
    "NativeException",
    "NoActiveContext",
    "NotFound",
    "NotOpen",
    "ObjectId",
    "Opaque",
    "OpaqueWarning",
    "PPValue",
    "PPrinter",
    "PackedResource",
    "Ref",
    "RefError",
    "Registry",
    "RegistryError",
    "ReplayContext",
    "ReplayError",
    "Repository",
    "Request",
    "RequestInput",
    "RequestedTypeUndetermined",
    "Resource",
    "ResourceBase",
    "ResourceDict",
    "ResourceDictValue",
    "ResourceWrapper",
    "Response",
    "Run",
    "SerializationError",
    "Serializer",
    "StorageBackend",
    "Store",
    "TypeDescriptor",
    "TypeInferenceFailed",
    "TypeKey",
    "TypeKeyError",
    "TypeWrapper",
    "TypeWrapperBase",
    "UnregisteredResource",
    "__version__",
    "checkout",
    "checkout_async",
    "commit",
    "commit_async",
    "contexts",
    "deepcopy",
    "digests",
    "distribution_registry",
    "from_python_type",
    "get_distribution_key",
    "get_path_distribution_key",
    "init",
    "interfaces",
    "invocation_summary",
    "invoke",
    "invoke_async",
    "last_invocation",
    "models",
    "open",
    "pformat",
    "pprint",
    "pretty_print",
    "propagate",
    "put",
    "read",
    "record",
    "references",
    "register",
    "register_distribution",
    "report_usage",
    "request_input",
    "resource_digest",
    "resource_registry",
    "run",
    "run_async",
    "serialization",
    "to_python_type",
    "type_inference",
    "type_wrappers",
    "typed_invokable",
    "types",
    "unwrap",
    "use",
    "utils",
    "wrap",
]

reads.watch()  # before the program's own modules read anything


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
