"""Revs as text: what a user types to name a commit, a run, or a part of one.

    HEAD  @  main  v1.0  9f31c2ab  main~2  v1^2  main@{1}  main@{yesterday}  @{-1}
    v1.0^{}  v1.0^{commit}  main^{tree}  main^{/fix}  :/fix
    run/7  7  RUN  RUN~1  RUN@{1}
    <commit>:agent.py     <commit>::agent.roll_sum
    run/7:  run/7:0.2  :0.2  run/7:llm.chat.3  run/7:0.2/output  run/7:/args/topic

`parse_rev` takes the text apart and knows no repository (resolve.py does);
`format_rev` puts it together again.  What stands after ":" is a path where
the base is a commit, a call where it is a run: for a base that only the
repository can tell, an abbreviated oid, it stays text.  Every command makes these
classes: named tuples, which are made nine times faster than dataclasses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

from gvstore.errors import BadRev


class BaseKind(Enum):
    """What a rev begins with."""

    HEAD = "HEAD"  # HEAD, or @
    RUN = "RUN"  # RUN, or nothing before ":"
    NUMBER = "number"  # run/7, or 7, which may also be the beginning of an oid
    NAME = "name"  # a ref, or the beginning of an oid
    CURRENT = "current"  # nothing before "@{": the branch that HEAD is on


class Base(NamedTuple):
    """The beginning of a rev; `text` as typed, `number` for runs."""

    kind: BaseKind
    text: str
    number: int | None = None

    @property
    def is_run(self) -> bool:
        """Whether it can only be a run."""
        return self.kind is BaseKind.RUN or (self.kind is BaseKind.NUMBER and not self.text.isdecimal())


@dataclass(frozen=True, slots=True)
class Step:
    """`~n`: n first parents back.  `^n`: the n-th parent, 0 for the commit itself.  `@{...}`: what the ref was.

    `^{...}` (sign "{"): what is behind tags, of the kind `when`; with `/text` the newest commit back whose message has it.
    """

    sign: Literal["~", "^", "@", "{"]
    count: int
    when: str = ""  # for "@" when it is no number: a time, to be read with the clock at hand; for "{" what the braces hold


class Call(NamedTuple):
    """A call of a run, and a part of it.

    `path` are indices of children from the root: `0.2`.  `name` and `nth` are
    the nth call, depth first and counted from 0, of a component; `nth` is None
    where none was typed.  With neither it is the root.  `part` is `("output",)`,
    `("args", "topic")`, ...
    """

    path: tuple[int, ...] = ()
    name: str = ""
    nth: int | None = None
    part: tuple[str, ...] = ()


class Rev(NamedTuple):
    """A rev taken apart: `tail` is what stands after ":" (`sign` ":") or after "::" (`sign` "::"); `sign` "" without."""

    base: Base
    steps: tuple[Step, ...] = ()
    sign: Literal["", ":", "::"] = ""
    tail: str = ""


class MalformedRev(BadRev):
    """Text that is no rev."""

    hint = "Revs are as in git (HEAD~1, main, 9f31c2ab), runs are run/7 or 7, calls run/7:0.2."

    def __init__(self, text: str, why: str) -> None:
        self.text, self.why = text, why
        super().__init__(f"{text[:200]!r} is no rev: {why}")


_STEP = re.compile(r"\^\{([^{}]*)\}|([~^])([0-9]*)|@\{([^{}]*)\}")
_CALL_PARTS = ("output", "args", "raised", "state")  # `:/output` is a part of RUN; `:/other` searches messages
_RUN = re.compile(r"run/([0-9]+)", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
_MAX_DIGITS = 64  # as many as an oid may have that happens to have no letter
_MAX_TEXT = 8192


def parse_rev(text: str) -> Rev:
    """Returns the rev that `text` spells.

    Raises:
        MalformedRev: it spells none.
    """
    if not text.strip() or len(text) > _MAX_TEXT or "\0" in text:
        raise MalformedRev(text, "it is empty" if not text.strip() else "no name looks like that")
    head, sign, tail = split_rev(text)
    start = next((i for i, c in enumerate(head) if c in "~^" or head.startswith("@{", i)), len(head))
    name, rest = head[:start], head[start:]
    steps = []
    while rest:
        found = _STEP.match(rest)
        if found is None:
            raise MalformedRev(text, f"{rest!r} is no step like ~1, ^2 or @{{1}}")
        steps.append(_step(text, found))
        rest = rest[found.end() :]
    return Rev(_base(text, name, steps, sign), tuple(steps), sign, tail)


def split_rev(text: str) -> tuple[str, Literal["", ":", "::"], str]:
    """Returns what stands before the first ":" outside braces, the sign itself, and what follows."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "{") - (c == "}")
        if c == ":" and depth <= 0:
            if text.startswith("::", i):
                return text[:i], "::", text[i + 2 :]
            return text[:i], ":", text[i + 1 :]
    return text, "", ""


def _base(text: str, name: str, steps: list[Step], sign: str) -> Base:
    if not name:
        if steps and steps[0].sign == "@":
            return Base(BaseKind.CURRENT, "")
        if sign == ":" and not steps:
            return Base(BaseKind.RUN, "")
        if sign == "::" and not steps:
            return Base(BaseKind.HEAD, "")
        raise MalformedRev(text, "nothing stands before the step")
    if name in ("HEAD", "@"):
        return Base(BaseKind.HEAD, name)
    if name == "RUN":
        return Base(BaseKind.RUN, name)
    if found := _RUN.fullmatch(name):
        return Base(BaseKind.NUMBER, name, _number(text, found.group(1)))
    if name.isascii() and name.isdecimal():
        return Base(BaseKind.NUMBER, name, _number(text, name))
    if name.startswith("-") or any(c in name for c in " \t\n\\[*?"):
        raise MalformedRev(text, f"{name!r} can name nothing")
    return Base(BaseKind.NAME, name)


def _step(text: str, found: re.Match[str]) -> Step:
    wanted, sign, digits, braces = found.groups()
    if wanted is not None:
        return Step("{", 0, wanted)
    if sign == "~":
        return Step("~", _number(text, digits or "1"))
    if sign == "^":
        return Step("^", _number(text, digits or "1"))
    if _NUMBER.fullmatch(braces):
        return Step("@", _number(text, braces))
    if not braces.strip():
        raise MalformedRev(text, "nothing stands between the braces")
    return Step("@", 0, braces)


def _number(text: str, digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise MalformedRev(text, "a number of it is too large")
    return int(digits)


def format_rev(rev: Rev) -> str:
    """Returns the text of a rev: `parse_rev` gives the rev back."""
    steps = []
    for step in rev.steps:
        if step.sign == "{":
            steps.append(f"^{{{step.when}}}")
        else:
            steps.append(f"@{{{step.when or step.count}}}" if step.sign == "@" else f"{step.sign}{step.count}")
    return rev.base.text + "".join(steps) + rev.sign + rev.tail


def searched_text(rev: Rev) -> str | None:
    """Returns what `:/text` searches messages for; None for any other rev, `:/output` and the like among them."""
    if rev.base.kind is not BaseKind.RUN or rev.base.text or rev.steps or rev.sign != ":" or rev.tail[:1] != "/":
        return None
    return None if rev.tail[1:].partition("/")[0] in _CALL_PARTS else rev.tail[1:]


def parse_call(text: str) -> Call:
    """Returns the call that stands after the ":" of a run.

    Raises:
        MalformedRev: it spells none.
    """
    head, *part = text.split("/")
    if "" in part and part != [""]:
        raise MalformedRev(text, "an empty part between slashes")
    parts = tuple(part) if part != [""] else ()
    if not head:
        return Call(part=parts)
    words = head.split(".")
    if "" in words:
        raise MalformedRev(text, "an empty word between dots")
    if all(_is_number(word) for word in words):
        return Call(path=tuple(_number(text, word) for word in words), part=parts)
    if _is_number(words[-1]):
        return Call(name=".".join(words[:-1]), nth=_number(text, words[-1]), part=parts)
    return Call(name=head, part=parts)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal()


def format_call(call: Call) -> str:
    """Returns the text of a call: `parse_call` gives the call back."""
    if call.name:
        head = call.name if call.nth is None else f"{call.name}.{call.nth}"
    else:
        head = ".".join(map(str, call.path))
    return "/".join([head, *call.part])
