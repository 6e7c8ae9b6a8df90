"""What runs in parallel, under the names that Burr has for it in its module of this name."""

from __future__ import annotations

from gvstore.machine.map_action import MapActions as MapActions
from gvstore.machine.map_action import MapActionsAndStates as MapActionsAndStates
from gvstore.machine.map_action import MapStates as MapStates
from gvstore.machine.map_action import PassThroughMapActionsAndStates as PassThroughMapActionsAndStates
from gvstore.machine.map_action import map_reduce_action as map_reduce_action
from gvstore.machine.parallel_action import TaskBasedParallelAction as TaskBasedParallelAction
from gvstore.machine.parallel_fault import BranchesFailed as BranchesFailed
from gvstore.machine.parallel_fault import BranchFailure as BranchFailure
from gvstore.machine.parallel_fault import TaskFault as TaskFault
from gvstore.machine.runnable import RunnableGraph as RunnableGraph
from gvstore.machine.runnable import SubgraphType as SubgraphType
from gvstore.machine.task import SubGraphTask as SubGraphTask
