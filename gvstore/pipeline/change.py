"""Why a step is not what it was: prompt, module, configuration, inputs, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gvstore.compare.values import same_value
from gvstore.journal.invocation import Invocation
from gvstore.objects.component import Component

_SECTION = re.compile(r"^--- (.+)$", re.MULTILINE)
_NAMES = ("module", "inputs", "model_config", "supplement", "seed", "options")
_SHOWN = 40


def why_changed(before: Invocation, now: Component, args: tuple[Any, ...], below: str = "") -> list[str]:
    """Returns why a recorded call of a step is no answer to one with these arguments, each reason; `below` is why what it calls does not hold."""
    recorded = before.component
    reasons = code_changes(recorded.source, now.source) if recorded.code != now.code else []
    if recorded.code != now.code and not reasons:
        reasons = ["its code changed"]
    given = dict(zip(_NAMES, args, strict=True))
    for name, old in before.args.items():
        reasons += _differences(name, old, given[name])
    reasons += [below] if below else []
    if not reasons:
        reasons = ["it did not end" if before.status == "unfinished" else f"it {before.status}" if before.status != "ok" else "what it calls changed"]
    return reasons


def code_changes(old: str, new: str) -> list[str]:
    """Returns which of the files that a step's code is made of differ."""
    then, now = _sections(old), _sections(new)
    told = []
    for name in {**then, **now}:
        if then.get(name) != now.get(name):
            told.append(f"{name} {'is gone' if name not in now else 'is new' if name not in then else 'changed'}")
    return told


def _sections(source: str) -> dict[str, str]:
    pieces = _SECTION.split(source)
    return {name: text.replace("\n", "") for name, text in zip(pieces[1::2], pieces[2::2], strict=False)}


def _differences(name: str, old: Any, new: Any) -> list[str]:
    if same_value(old, new):
        return []
    if name in ("inputs", "model_config", "options") and isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = [key for key in {**old, **new} if not (key in old and key in new and same_value(old[key], new[key]))]
        if name == "inputs":
            return [f"{key} {'is new' if key not in old else 'is gone' if key not in new else 'changed'}" for key in keys]
        samples = [f"n is {'new' if 'sample' in new else 'gone'}"] if ("sample" in old) != ("sample" in new) else []
        return [*samples, *(_change(key, old.get(key), new.get(key)) for key in keys if key != "sample")]
    return [_change(name, old, new)]


def _change(name: str, old: Any, new: Any) -> str:
    if name in ("answers", "schema", "params", "function") or not all(isinstance(each, str | int | float | None) for each in (old, new)):
        return f"{name} changed"
    texts = ["none" if each is None else str(each) for each in (old, new)]
    return f"{name} {texts[0]} → {texts[1]}" if all(len(each) <= _SHOWN and "\n" not in each for each in texts) else f"{name} changed"
