"""A tree search over executions: of any program, by any score.

An execution is a node of the tree.  Rewound to just before one of its calls,
and replayed, it becomes another: what came before the call is answered from
the record and costs nothing, that call and all that follows is drawn anew.
So a program that samples is searched without a word in it about searching.
"""

from collections.abc import Callable
from typing import Any

import gvstore as gv


@gv.register
def sample(program: Callable[..., Any], args: list[Any]) -> gv.Invocation:
    """Returns an execution of the program."""
    return gv.invoke(program, args)


@gv.register
def branch(execution: gv.Invocation, call: int) -> gv.Invocation:
    """Returns the execution with everything drawn anew from `call` on."""
    return execution.rewind_before((call,)).replay()


@gv.register
def search(
    program: Callable[..., Any],
    args: list[Any],
    score: Callable[[Any], float],
    width: int = 2,
) -> gv.Invocation:
    """Returns the best execution found: call by call, the best of `width` branches and what there was."""
    best = sample(program, args)
    for call in range(len(best)):
        branches = [branch(best, call) for _ in range(width)]
        best = max([best, *branches], key=lambda each: score(each.get_output()))
    return best
