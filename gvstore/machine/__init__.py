"""STATE MACHINES: actions that read and write named parts of a state, joined by conditional transitions.

    from gvstore.machine import ApplicationBuilder, State, action, when

`docs/machine.md` is the guide.  Names are loaded when they are first used.  What stands where:

    condition   when, expr, default, on_error, and what they are joined to (the room `expression` evaluates texts)
    node        what a graph sees of an action
    transition  an edge; graph: which action comes after which, and its builder
    draft       a machine as it was typed; validate: all that is wrong with it, as findings
    state       named values, immutable: over cell (a version of a field; row: a list's items), part (its bytes)
                and duplicate (copies), stored as wholes and changes (change), as JSON (serde), typed
                (typing_system, annotation), changed by values (delta), compared (difference); errors: state_fault
    action_*    functions and classes as actions; cycle: one attempt at a step, with view: what an action sees of the state,
                and terms: what it declares; attempts: retries and timeouts; builtin_actions: Result, Input, Placeholder;
                model_part: parts of pydantic models; chat_action: a question to a model
    application a graph, a state, and where it is; builder: makes it, from an origin (fresh, resumed, forked)
                (call: one call of it; walk: step after step; turn: one step; halts: where a call stops;
                stream_result: what streams; context: what an action may know; saver: when a persister is told)
    parallelism parallel actions under Burr's names: parallel_action (tasks, reduced), map_action (actions over states),
                runnable (a graph to run), task (a branch), fan (many at once), parallel_fault (what branches raise)
    execution   a run of a machine as it is recorded: over component (an action, a machine), outcome (what a step changed),
                kept (states in a repository); steps: read back; keeping: states by name
    lifecycle   hooks (hook, hook_async: the classes; lifecycle_ready, lifecycle_otel: some that are ready); tracing: spans (span_block: in the record)
    persister   what keeps steps: persister_memory, persister_sqlite (over persister_schema, persister_rows), persister_async,
                persister_store (the repository);
                persister_hook saves; tracking: the files of Burr's tracker
    integrations  graphs and chains of other libraries as actions, each imported by its own name
    draw        text, Mermaid, DOT and SVG of a sketch (draw_svg: the picture, layout: where all lies);
                visualize: written to files
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gvstore.machine.action_class import DEFAULT_SCHEMA as DEFAULT_SCHEMA
    from gvstore.machine.action_class import Action as Action
    from gvstore.machine.action_class import ActionSchema as ActionSchema
    from gvstore.machine.action_class import Function as Function
    from gvstore.machine.action_class import Reducer as Reducer
    from gvstore.machine.action_class import SingleStepAction as SingleStepAction
    from gvstore.machine.action_fault import ActionFault as ActionFault
    from gvstore.machine.action_fault import ActionTimeout as ActionTimeout
    from gvstore.machine.action_fault import AsyncAction as AsyncAction
    from gvstore.machine.action_fault import MissingInputs as MissingInputs
    from gvstore.machine.action_fault import MissingWrites as MissingWrites
    from gvstore.machine.action_fault import UndeclaredRead as UndeclaredRead
    from gvstore.machine.action_fault import UndeclaredWrite as UndeclaredWrite
    from gvstore.machine.action_fault import WrongReturn as WrongReturn
    from gvstore.machine.action_fault import WrongType as WrongType
    from gvstore.machine.action_function import FunctionBasedAction as FunctionBasedAction
    from gvstore.machine.action_function import action as action
    from gvstore.machine.action_function import bind as bind
    from gvstore.machine.action_function import create_action as create_action
    from gvstore.machine.action_function import derive_inputs_from_fn as derive_inputs_from_fn
    from gvstore.machine.action_function import pydantic_action as pydantic_action
    from gvstore.machine.action_function import type_eraser as type_eraser
    from gvstore.machine.action_pydantic import PydanticActionSchema as PydanticActionSchema
    from gvstore.machine.action_stream import AsyncSingleStepStreamingAction as AsyncSingleStepStreamingAction
    from gvstore.machine.action_stream import AsyncStreamingAction as AsyncStreamingAction
    from gvstore.machine.action_stream import FunctionBasedStreamingAction as FunctionBasedStreamingAction
    from gvstore.machine.action_stream import SingleStepStreamingAction as SingleStepStreamingAction
    from gvstore.machine.action_stream import StreamingAction as StreamingAction
    from gvstore.machine.action_stream import pydantic_streaming_action as pydantic_streaming_action
    from gvstore.machine.action_stream import streaming_action as streaming_action
    from gvstore.machine.application import PRIOR_STEP as PRIOR_STEP
    from gvstore.machine.application import Application as Application
    from gvstore.machine.application_fault import FailedBefore as FailedBefore
    from gvstore.machine.application_fault import ForkFault as ForkFault
    from gvstore.machine.application_fault import MachineWarning as MachineWarning
    from gvstore.machine.application_fault import StepUnderway as StepUnderway
    from gvstore.machine.application_fault import TooManySteps as TooManySteps
    from gvstore.machine.application_fault import UnknownInput as UnknownInput
    from gvstore.machine.application_graph import ApplicationGraph as ApplicationGraph
    from gvstore.machine.attempts import Retry as Retry
    from gvstore.machine.builder import ApplicationBuilder as ApplicationBuilder
    from gvstore.machine.builder import BuilderFault as BuilderFault
    from gvstore.machine.builtin_actions import Input as Input
    from gvstore.machine.builtin_actions import Placeholder as Placeholder
    from gvstore.machine.builtin_actions import Result as Result
    from gvstore.machine.chat_action import ChatAction as ChatAction
    from gvstore.machine.chat_action import StreamingChatAction as StreamingChatAction
    from gvstore.machine.condition import Condition as Condition
    from gvstore.machine.condition import ErrorCondition as ErrorCondition
    from gvstore.machine.condition import default as default
    from gvstore.machine.condition import error as error
    from gvstore.machine.condition import expr as expr
    from gvstore.machine.condition import lmda as lmda
    from gvstore.machine.condition import on_error as on_error
    from gvstore.machine.condition import safe_expr as safe_expr
    from gvstore.machine.condition import when as when
    from gvstore.machine.condition_fault import ConditionFault as ConditionFault
    from gvstore.machine.condition_fault import MissingKeys as MissingKeys
    from gvstore.machine.context import ApplicationContext as ApplicationContext
    from gvstore.machine.delta import AppendFields as AppendFields
    from gvstore.machine.delta import DeleteField as DeleteField
    from gvstore.machine.delta import ExtendFields as ExtendFields
    from gvstore.machine.delta import IncrementFields as IncrementFields
    from gvstore.machine.delta import SetFields as SetFields
    from gvstore.machine.delta import StateDelta as StateDelta
    from gvstore.machine.finding import Finding as Finding
    from gvstore.machine.finding import MachineFault as MachineFault
    from gvstore.machine.graph import Graph as Graph
    from gvstore.machine.graph import GraphBuilder as GraphBuilder
    from gvstore.machine.graph import UnknownAction as UnknownAction
    from gvstore.machine.halts import all_of as all_of
    from gvstore.machine.keeping import checkpoint as checkpoint
    from gvstore.machine.keeping import commit as commit
    from gvstore.machine.keeping import hydrate as hydrate
    from gvstore.machine.keeping import persist as persist
    from gvstore.machine.lifecycle import DoLogAttributeHook as DoLogAttributeHook
    from gvstore.machine.lifecycle import DoLogAttributeHookAsync as DoLogAttributeHookAsync
    from gvstore.machine.lifecycle import ExecuteMethod as ExecuteMethod
    from gvstore.machine.lifecycle import HookFault as HookFault
    from gvstore.machine.lifecycle import LifecycleAdapter as LifecycleAdapter
    from gvstore.machine.lifecycle import LifecycleAdapterSet as LifecycleAdapterSet
    from gvstore.machine.lifecycle import PostApplicationCreateHook as PostApplicationCreateHook
    from gvstore.machine.lifecycle import PostApplicationExecuteCallHook as PostApplicationExecuteCallHook
    from gvstore.machine.lifecycle import PostApplicationExecuteCallHookAsync as PostApplicationExecuteCallHookAsync
    from gvstore.machine.lifecycle import PostEndSpanHook as PostEndSpanHook
    from gvstore.machine.lifecycle import PostEndSpanHookAsync as PostEndSpanHookAsync
    from gvstore.machine.lifecycle import PostEndStreamHook as PostEndStreamHook
    from gvstore.machine.lifecycle import PostEndStreamHookAsync as PostEndStreamHookAsync
    from gvstore.machine.lifecycle import PostRunStepHook as PostRunStepHook
    from gvstore.machine.lifecycle import PostRunStepHookAsync as PostRunStepHookAsync
    from gvstore.machine.lifecycle import PostStreamItemHook as PostStreamItemHook
    from gvstore.machine.lifecycle import PostStreamItemHookAsync as PostStreamItemHookAsync
    from gvstore.machine.lifecycle import PreApplicationExecuteCallHook as PreApplicationExecuteCallHook
    from gvstore.machine.lifecycle import PreApplicationExecuteCallHookAsync as PreApplicationExecuteCallHookAsync
    from gvstore.machine.lifecycle import PreRunStepHook as PreRunStepHook
    from gvstore.machine.lifecycle import PreRunStepHookAsync as PreRunStepHookAsync
    from gvstore.machine.lifecycle import PreStartSpanHook as PreStartSpanHook
    from gvstore.machine.lifecycle import PreStartSpanHookAsync as PreStartSpanHookAsync
    from gvstore.machine.lifecycle import PreStartStreamHook as PreStartStreamHook
    from gvstore.machine.lifecycle import PreStartStreamHookAsync as PreStartStreamHookAsync
    from gvstore.machine.lifecycle_otel import OpenTelemetryBridge as OpenTelemetryBridge
    from gvstore.machine.lifecycle_ready import PrintStepHook as PrintStepHook
    from gvstore.machine.lifecycle_ready import SlowDownHook as SlowDownHook
    from gvstore.machine.lifecycle_ready import SlowDownHookAsync as SlowDownHookAsync
    from gvstore.machine.lifecycle_ready import StateAndResultsFullLogger as StateAndResultsFullLogger
    from gvstore.machine.map_action import MapActions as MapActions
    from gvstore.machine.map_action import MapActionsAndStates as MapActionsAndStates
    from gvstore.machine.map_action import MapStates as MapStates
    from gvstore.machine.map_action import PassThroughMapActionsAndStates as PassThroughMapActionsAndStates
    from gvstore.machine.map_action import map_reduce_action as map_reduce_action
    from gvstore.machine.parallel_action import TaskBasedParallelAction as TaskBasedParallelAction
    from gvstore.machine.parallel_fault import BranchesFailed as BranchesFailed
    from gvstore.machine.parallel_fault import BranchFailure as BranchFailure
    from gvstore.machine.parallel_fault import TaskFault as TaskFault
    from gvstore.machine.persister import AsyncBaseStateLoader as AsyncBaseStateLoader
    from gvstore.machine.persister import AsyncBaseStatePersister as AsyncBaseStatePersister
    from gvstore.machine.persister import AsyncBaseStateSaver as AsyncBaseStateSaver
    from gvstore.machine.persister import BaseCopyable as BaseCopyable
    from gvstore.machine.persister import BaseStateLoader as BaseStateLoader
    from gvstore.machine.persister import BaseStatePersister as BaseStatePersister
    from gvstore.machine.persister import BaseStateSaver as BaseStateSaver
    from gvstore.machine.persister import CorruptPersister as CorruptPersister
    from gvstore.machine.persister import Lineage as Lineage
    from gvstore.machine.persister import NotInitialized as NotInitialized
    from gvstore.machine.persister import PersistedStateData as PersistedStateData
    from gvstore.machine.persister import PersisterFault as PersisterFault
    from gvstore.machine.persister import SavedStep as SavedStep
    from gvstore.machine.persister import UnknownApplication as UnknownApplication
    from gvstore.machine.persister_async import AsyncDevNullPersister as AsyncDevNullPersister
    from gvstore.machine.persister_async import AsyncInMemoryPersister as AsyncInMemoryPersister
    from gvstore.machine.persister_async import AsyncMemoryPersister as AsyncMemoryPersister
    from gvstore.machine.persister_async import AsyncSQLitePersister as AsyncSQLitePersister
    from gvstore.machine.persister_async import AsyncSQLLitePersister as AsyncSQLLitePersister
    from gvstore.machine.persister_hook import PersisterHook as PersisterHook
    from gvstore.machine.persister_hook import PersisterHookAsync as PersisterHookAsync
    from gvstore.machine.persister_memory import DevNullPersister as DevNullPersister
    from gvstore.machine.persister_memory import InMemoryPersister as InMemoryPersister
    from gvstore.machine.persister_memory import MemoryPersister as MemoryPersister
    from gvstore.machine.persister_sqlite import SQLitePersister as SQLitePersister
    from gvstore.machine.persister_sqlite import SQLLitePersister as SQLLitePersister
    from gvstore.machine.persister_store import StorePersister as StorePersister
    from gvstore.machine.pointer import ParentPointer as ParentPointer
    from gvstore.machine.runnable import RunnableGraph as RunnableGraph
    from gvstore.machine.runnable import SubgraphType as SubgraphType
    from gvstore.machine.serde import KEY as KEY
    from gvstore.machine.serde import deserialize as deserialize
    from gvstore.machine.serde import deserializer as deserializer
    from gvstore.machine.serde import register_field_serde as register_field_serde
    from gvstore.machine.serde import serialize as serialize
    from gvstore.machine.span import ActionSpan as ActionSpan
    from gvstore.machine.state import State as State
    from gvstore.machine.state_fault import MissingField as MissingField
    from gvstore.machine.state_fault import StateTypeError as StateTypeError
    from gvstore.machine.state_fault import StateValueError as StateValueError
    from gvstore.machine.step_case import NoTestCase as NoTestCase
    from gvstore.machine.step_case import run_step as run_step
    from gvstore.machine.steps import MachineCall as MachineCall
    from gvstore.machine.steps import Step as Step
    from gvstore.machine.stream_result import AsyncStreamingResultContainer as AsyncStreamingResultContainer
    from gvstore.machine.stream_result import StreamingResultContainer as StreamingResultContainer
    from gvstore.machine.task import SubGraphTask as SubGraphTask
    from gvstore.machine.tracing import ActionSpanTracer as ActionSpanTracer
    from gvstore.machine.tracing import SpanRecord as SpanRecord
    from gvstore.machine.tracing import Spans as Spans
    from gvstore.machine.tracing import TracerFactory as TracerFactory
    from gvstore.machine.tracing import TracingFault as TracingFault
    from gvstore.machine.tracing import trace as trace
    from gvstore.machine.tracking import LocalTrackingClient as LocalTrackingClient
    from gvstore.machine.tracking import SyncTrackingClient as SyncTrackingClient
    from gvstore.machine.transition import Transition as Transition
    from gvstore.machine.typing_system import DataclassTypingSystem as DataclassTypingSystem
    from gvstore.machine.typing_system import DictBasedTypingSystem as DictBasedTypingSystem
    from gvstore.machine.typing_system import PydanticTypingSystem as PydanticTypingSystem
    from gvstore.machine.typing_system import SchemaTypingSystem as SchemaTypingSystem
    from gvstore.machine.typing_system import TypedDictTypingSystem as TypedDictTypingSystem
    from gvstore.machine.typing_system import TypingSystem as TypingSystem
    from gvstore.machine.validate import assert_set as assert_set
    from gvstore.machine.visualize import Drawing as Drawing

_WHERE = {
    "Action": "action_class",
    "ActionFault": "action_fault",
    "ActionSchema": "action_class",
    "ActionSpan": "span",
    "ActionSpanTracer": "tracing",
    "ActionTimeout": "action_fault",
    "AppendFields": "delta",
    "Application": "application",
    "ApplicationBuilder": "builder",
    "ApplicationContext": "context",
    "ApplicationGraph": "application_graph",
    "AsyncAction": "action_fault",
    "AsyncBaseStateLoader": "persister",
    "AsyncBaseStatePersister": "persister",
    "AsyncBaseStateSaver": "persister",
    "AsyncDevNullPersister": "persister_async",
    "AsyncInMemoryPersister": "persister_async",
    "AsyncMemoryPersister": "persister_async",
    "AsyncSQLLitePersister": "persister_async",
    "AsyncSQLitePersister": "persister_async",
    "AsyncSingleStepStreamingAction": "action_stream",
    "AsyncStreamingAction": "action_stream",
    "AsyncStreamingResultContainer": "stream_result",
    "BaseCopyable": "persister",
    "BaseStateLoader": "persister",
    "BaseStatePersister": "persister",
    "BaseStateSaver": "persister",
    "BranchFailure": "parallel_fault",
    "BranchesFailed": "parallel_fault",
    "BuilderFault": "builder",
    "ChatAction": "chat_action",
    "Condition": "condition",
    "ConditionFault": "condition_fault",
    "CorruptPersister": "persister",
    "DEFAULT_SCHEMA": "action_class",
    "DataclassTypingSystem": "typing_system",
    "DeleteField": "delta",
    "DevNullPersister": "persister_memory",
    "DictBasedTypingSystem": "typing_system",
    "DoLogAttributeHook": "lifecycle",
    "DoLogAttributeHookAsync": "lifecycle",
    "Drawing": "visualize",
    "ErrorCondition": "condition",
    "ExecuteMethod": "lifecycle",
    "ExtendFields": "delta",
    "FailedBefore": "application_fault",
    "Finding": "finding",
    "ForkFault": "application_fault",
    "Function": "action_class",
    "FunctionBasedAction": "action_function",
    "FunctionBasedStreamingAction": "action_stream",
    "Graph": "graph",
    "GraphBuilder": "graph",
    "HookFault": "lifecycle",
    "InMemoryPersister": "persister_memory",
    "IncrementFields": "delta",
    "Input": "builtin_actions",
    "KEY": "serde",
    "LifecycleAdapter": "lifecycle",
    "LifecycleAdapterSet": "lifecycle",
    "Lineage": "persister",
    "LocalTrackingClient": "tracking",
    "MachineCall": "steps",
    "MachineFault": "finding",
    "MachineWarning": "application_fault",
    "MapActions": "map_action",
    "MapActionsAndStates": "map_action",
    "MapStates": "map_action",
    "MemoryPersister": "persister_memory",
    "MissingField": "state_fault",
    "MissingInputs": "action_fault",
    "MissingKeys": "condition_fault",
    "MissingWrites": "action_fault",
    "NoTestCase": "step_case",
    "NotInitialized": "persister",
    "OpenTelemetryBridge": "lifecycle_otel",
    "PRIOR_STEP": "application",
    "ParentPointer": "pointer",
    "PassThroughMapActionsAndStates": "map_action",
    "PersistedStateData": "persister",
    "PersisterFault": "persister",
    "PersisterHook": "persister_hook",
    "PersisterHookAsync": "persister_hook",
    "Placeholder": "builtin_actions",
    "PostApplicationCreateHook": "lifecycle",
    "PostApplicationExecuteCallHook": "lifecycle",
    "PostApplicationExecuteCallHookAsync": "lifecycle",
    "PostEndSpanHook": "lifecycle",
    "PostEndSpanHookAsync": "lifecycle",
    "PostEndStreamHook": "lifecycle",
    "PostEndStreamHookAsync": "lifecycle",
    "PostRunStepHook": "lifecycle",
    "PostRunStepHookAsync": "lifecycle",
    "PostStreamItemHook": "lifecycle",
    "PostStreamItemHookAsync": "lifecycle",
    "PreApplicationExecuteCallHook": "lifecycle",
    "PreApplicationExecuteCallHookAsync": "lifecycle",
    "PreRunStepHook": "lifecycle",
    "PreRunStepHookAsync": "lifecycle",
    "PreStartSpanHook": "lifecycle",
    "PreStartSpanHookAsync": "lifecycle",
    "PreStartStreamHook": "lifecycle",
    "PreStartStreamHookAsync": "lifecycle",
    "PrintStepHook": "lifecycle_ready",
    "PydanticActionSchema": "action_pydantic",
    "PydanticTypingSystem": "typing_system",
    "Reducer": "action_class",
    "Result": "builtin_actions",
    "Retry": "attempts",
    "RunnableGraph": "runnable",
    "SQLLitePersister": "persister_sqlite",
    "SQLitePersister": "persister_sqlite",
    "SavedStep": "persister",
    "SchemaTypingSystem": "typing_system",
    "SetFields": "delta",
    "SingleStepAction": "action_class",
    "SingleStepStreamingAction": "action_stream",
    "SlowDownHook": "lifecycle_ready",
    "SlowDownHookAsync": "lifecycle_ready",
    "SpanRecord": "tracing",
    "Spans": "tracing",
    "State": "state",
    "StateAndResultsFullLogger": "lifecycle_ready",
    "StateDelta": "delta",
    "StateTypeError": "state_fault",
    "StateValueError": "state_fault",
    "Step": "steps",
    "StepUnderway": "application_fault",
    "StorePersister": "persister_store",
    "StreamingAction": "action_stream",
    "StreamingChatAction": "chat_action",
    "StreamingResultContainer": "stream_result",
    "SubGraphTask": "task",
    "SubgraphType": "runnable",
    "SyncTrackingClient": "tracking",
    "TaskBasedParallelAction": "parallel_action",
    "TaskFault": "parallel_fault",
    "TooManySteps": "application_fault",
    "TracerFactory": "tracing",
    "TracingFault": "tracing",
    "Transition": "transition",
    "TypedDictTypingSystem": "typing_system",
    "TypingSystem": "typing_system",
    "UndeclaredRead": "action_fault",
    "UndeclaredWrite": "action_fault",
    "UnknownAction": "graph",
    "UnknownApplication": "persister",
    "UnknownInput": "application_fault",
    "WrongReturn": "action_fault",
    "WrongType": "action_fault",
    "action": "action_function",
    "all_of": "halts",
    "assert_set": "validate",
    "bind": "action_function",
    "checkpoint": "keeping",
    "commit": "keeping",
    "create_action": "action_function",
    "default": "condition",
    "derive_inputs_from_fn": "action_function",
    "deserialize": "serde",
    "deserializer": "serde",
    "error": "condition",
    "expr": "condition",
    "hydrate": "keeping",
    "lmda": "condition",
    "map_reduce_action": "map_action",
    "on_error": "condition",
    "persist": "keeping",
    "pydantic_action": "action_function",
    "pydantic_streaming_action": "action_stream",
    "register_field_serde": "serde",
    "run_step": "step_case",
    "safe_expr": "condition",
    "serialize": "serde",
    "streaming_action": "action_stream",
    "trace": "tracing",
    "type_eraser": "action_function",
    "when": "condition",
}

__all__ = [  # noqa: RUF022 - as Python sorts
    "Action",
    "ActionFault",
    "ActionSchema",
    "ActionSpan",
    "ActionSpanTracer",
    "ActionTimeout",
    "AppendFields",
    "Application",
    "ApplicationBuilder",
    "ApplicationContext",
    "ApplicationGraph",
    "AsyncAction",
    "AsyncBaseStateLoader",
    "AsyncBaseStatePersister",
    "AsyncBaseStateSaver",
    "AsyncDevNullPersister",
    "AsyncInMemoryPersister",
    "AsyncMemoryPersister",
    "AsyncSQLLitePersister",
    "AsyncSQLitePersister",
    "AsyncSingleStepStreamingAction",
    "AsyncStreamingAction",
    "AsyncStreamingResultContainer",
    "BaseCopyable",
    "BaseStateLoader",
    "BaseStatePersister",
    "BaseStateSaver",
    "BranchFailure",
    "BranchesFailed",
    "BuilderFault",
    "ChatAction",
    "Condition",
    "ConditionFault",
    "CorruptPersister",
    "DEFAULT_SCHEMA",
    "DataclassTypingSystem",
    "DeleteField",
    "DevNullPersister",
    "DictBasedTypingSystem",
    "DoLogAttributeHook",
    "DoLogAttributeHookAsync",
    "Drawing",
    "ErrorCondition",
    "ExecuteMethod",
    "ExtendFields",
    "FailedBefore",
    "Finding",
    "ForkFault",
    "Function",
    "FunctionBasedAction",
    "FunctionBasedStreamingAction",
    "Graph",
    "GraphBuilder",
    "HookFault",
    "InMemoryPersister",
    "IncrementFields",
    "Input",
    "KEY",
    "LifecycleAdapter",
    "LifecycleAdapterSet",
    "Lineage",
    "LocalTrackingClient",
    "MachineFault",
    "MachineWarning",
    "MapActions",
    "MapActionsAndStates",
    "MapStates",
    "MemoryPersister",
    "MissingField",
    "MissingInputs",
    "MissingKeys",
    "MissingWrites",
    "NotInitialized",
    "OpenTelemetryBridge",
    "PRIOR_STEP",
    "ParentPointer",
    "PassThroughMapActionsAndStates",
    "PersistedStateData",
    "PersisterFault",
    "PersisterHook",
    "PersisterHookAsync",
    "Placeholder",
    "PostApplicationCreateHook",
    "PostApplicationExecuteCallHook",
    "PostApplicationExecuteCallHookAsync",
    "PostEndSpanHook",
    "PostEndSpanHookAsync",
    "PostEndStreamHook",
    "PostEndStreamHookAsync",
    "PostRunStepHook",
    "PostRunStepHookAsync",
    "PostStreamItemHook",
    "PostStreamItemHookAsync",
    "PreApplicationExecuteCallHook",
    "PreApplicationExecuteCallHookAsync",
    "PreRunStepHook",
    "PreRunStepHookAsync",
    "PreStartSpanHook",
    "PreStartSpanHookAsync",
    "PreStartStreamHook",
    "PreStartStreamHookAsync",
    "PrintStepHook",
    "PydanticActionSchema",
    "PydanticTypingSystem",
    "Reducer",
    "Result",
    "Retry",
    "RunnableGraph",
    "SQLLitePersister",
    "SQLitePersister",
    "SavedStep",
    "SchemaTypingSystem",
    "SetFields",
    "SingleStepAction",
    "SingleStepStreamingAction",
    "SlowDownHook",
    "SlowDownHookAsync",
    "SpanRecord",
    "Spans",
    "State",
    "StateAndResultsFullLogger",
    "StateDelta",
    "StateTypeError",
    "StateValueError",
    "StepUnderway",
    "StreamingAction",
    "StreamingChatAction",
    "StreamingResultContainer",
    "SubGraphTask",
    "SubgraphType",
    "SyncTrackingClient",
    "TaskBasedParallelAction",
    "TaskFault",
    "TooManySteps",
    "TracerFactory",
    "TracingFault",
    "Transition",
    "TypedDictTypingSystem",
    "TypingSystem",
    "UndeclaredRead",
    "UndeclaredWrite",
    "UnknownAction",
    "UnknownApplication",
    "UnknownInput",
    "WrongReturn",
    "WrongType",
    "action",
    "all_of",
    "assert_set",
    "bind",
    "create_action",
    "default",
    "derive_inputs_from_fn",
    "deserialize",
    "deserializer",
    "error",
    "expr",
    "lmda",
    "map_reduce_action",
    "on_error",
    "pydantic_action",
    "pydantic_streaming_action",
    "register_field_serde",
    "safe_expr",
    "serialize",
    "streaming_action",
    "trace",
    "type_eraser",
    "when",
]


def __getattr__(name: str) -> object:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module 'gvstore.machine' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"gvstore.machine.{where}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
