"""Values that a replay was to put in, and that no call took: the program did not ask these calls as recorded."""

from __future__ import annotations

from gvstore.errors import Corrupt
from gvstore.journal.address import CallPath, format_path
from gvstore.journal.answers import Answers
from gvstore.journal.mismatch import given_text
from gvstore.objects.invocation import PartList, part_body
from gvstore.objects.record import NIL
from gvstore.objects.wire import split


def unused_values(answers: Answers) -> tuple[str, ...]:
    """Returns a line for each call that was set or picked, and never asked; what was asked instead, if the like of it was."""
    replayer, mode = answers.replayer, answers.replayer.mode
    return tuple(
        f"{_called(answers, path)} was {'set' if path in mode.sets else 'picked'}, and the program never asked it as recorded"
        + (f": {replayer.instead[path]}" if path in replayer.instead else "")
        for path in sorted((*mode.sets, *mode.picks))
        if path not in replayer.used
    )


def _called(answers: Answers, path: CallPath) -> str:
    """Returns `call 0.2, ask(prompt='b'),`."""
    replayer, children = answers.replayer, answers.children
    try:
        for index in path:
            elements = split(part_body(PartList(children, replayer.reader)[index], replayer.reader))
            children = elements[4] if len(elements) > 4 else NIL
        component = replayer.component(elements[1])
        state = elements[5] if len(elements) > 5 else NIL
        given = given_text(replayer, component.name, component.parameters, elements[2], state)
    except (Corrupt, IndexError):
        return f"call {format_path(path)}"
    return f"call {format_path(path)}, {given},"
