"""Components that were renamed or moved: a replay may be told which live one stands for a recorded one.

    agent.revise is gone; edit.revise has the same code: `gv replay --alias agent.revise=edit.revise`

With the alias a recorded call is matched, and its code compared, as if it had
been recorded under the new name; what is adopted of the record stays as it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gvstore.journal.fault import InvocationError, NoSuchComponent
from gvstore.objects.component import Component

if TYPE_CHECKING:
    from gvstore.journal.invocation import Invocation

_LOCAL: Final = "<locals>"
_ACTION: Final = "action"  # the flavor of a machine's step, which is known when the machine is there
_FEW: Final = 3


def same_code(recorded: Component, live: Iterable[Component]) -> list[str]:
    """Returns the names under which the code of a recorded component lives today, the likest first, at most three."""
    own = (recorded.flavor, recorded.own, recorded.reach, recorded.library)
    names = {
        each.name
        for each in live
        if recorded.own and (each.flavor, each.own, each.reach, each.library) == own and each.name != recorded.name
    }
    likeness = difflib.SequenceMatcher(b=recorded.name, autojunk=False)

    def distance(name: str) -> tuple[float, str]:
        likeness.set_seq1(name)
        return -likeness.ratio(), name

    return sorted(names, key=distance)[:_FEW]


def same_text(recorded: Component, live: Iterable[Component]) -> list[str]:
    """Returns the names of live components that do the same themselves under the same last name, whatever they reach."""
    last = recorded.name.rpartition(".")[2]
    return sorted(
        each.name
        for each in live
        if recorded.own and (each.flavor, each.own) == (recorded.flavor, recorded.own)
        and each.name.rpartition(".")[2] == last and each.name != recorded.name
    )[:_FEW]  # fmt: skip


def is_made_later(recorded: Component, root: Path | None) -> bool:
    """Returns whether a component that is not registered comes to be when a function runs that defines it, or makes it."""
    from gvstore.journal.maker import maker_of
    from gvstore.journal.register import OBJECTS

    return _LOCAL in recorded.name or (recorded.flavor in (*OBJECTS, _ACTION) and maker_of(recorded.name, root) is not None)


def gone(recorded: Component, root: Path | None) -> str:
    """Returns what to say of a recorded component that the program does not register any more."""
    from gvstore.journal.register import registered

    if is_made_later(recorded, root):
        return f"{recorded.name} is looked at when it is defined again"
    live = [each.component(root) for each in registered()]
    told = standing_in(recorded, live)
    return f"{recorded.name} is gone" + (f"; {told[0]}: `gv replay --alias {recorded.name}={told[1]}`" if told else "")


def standing_in(recorded: Component, live: Sequence[Component]) -> tuple[str, str] | None:
    """Returns (`edit.revise has the same code`, `edit.revise`) of a recorded component that is gone, or None."""
    for names, what in ((same_code(recorded, live), "code"), (same_text(recorded, live), "text")):
        if names:
            has = f"{names[0]} has" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} have"
            return f"{has} the same {what}", names[0]
    return None


def checked(aliases: Mapping[str, str], root: Invocation) -> dict[str, str]:
    """Returns the aliases of a replay of `root`, recorded name to live name.

    Raises:
        NoSuchComponent: the record calls no such component, or none is registered under the new name; tells which there are.
        InvocationError: the recorded one is still there, so its calls need no other name.
    """
    from gvstore.journal.mode import component_names
    from gvstore.journal.register import find_registered, registered_as

    project = root.store.root
    names = component_names(root) if aliases else set()
    for old, new in aliases.items():
        if old not in names:
            near = difflib.get_close_matches(old, names, _FEW, 0.5) or sorted(names)[:8]
            raise NoSuchComponent(f"no call of {old} in this record", hint=f"It calls {', '.join(near)}.")
        if _LOCAL not in new:
            find_registered(new, project)
        check_gone(old, {old} if registered_as(old, project) else ())
    return dict(aliases)


def check_gone(old: str, there: Collection[str]) -> None:
    """Asks that a recorded component is none of those that are there.

    Raises:
        InvocationError: it is, so its calls need no other name.
    """
    if old in there:
        raise InvocationError(f"{old} is still there", hint="An alias is for a component that was renamed or moved.")
