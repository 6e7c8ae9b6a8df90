"""What a plain scalar of YAML means: text, numbers, true and false, nothing.

The rules are those of YAML 1.1 as PyYAML has them, which is what wrote and read
these files before.  Where they would surprise (`12:30` is 750, `010` is 8, a date
is no text) nothing is guessed: the value must be put into quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

Plain = None | bool | int | float | str
MAX_DIGITS = 300
_TAG = "tag:yaml.org,2002:"
_RESOLVER = Resolver()
_TRUE = {"yes", "true", "on"}
_SPECIAL = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}


class BadScalar(ValueError):
    """A scalar that cannot be taken as it stands; the message says what to write."""


def value_of(raw: str, *, plain: bool, tag: str | None = None) -> Plain:
    """Returns what a scalar means; `plain` is one without quotes.

    Raises:
        BadScalar: it has a tag of another kind, or its meaning would surprise.
    """
    if tag is None or tag == "!":
        kind = _resolved(raw) if plain and tag is None else "str"
    else:
        kind = tag.removeprefix(_TAG)
        if kind not in ("str", "null", "bool", "int", "float"):
            raise BadScalar(f"the tag {tag.replace(_TAG, '!!')} is not taken here")
        if kind not in ("str", _resolved(raw)):
            raise BadScalar(f"{raw[:40]!r} is not of the type !!{kind}")
    match kind:
        case "null":
            return None
        case "bool":
            return raw.lower() in _TRUE
        case "int":
            return _whole(raw)
        case "float":
            return _number(raw)
        case "str":
            return raw
    what = {"timestamp": "is a date", "merge": "merges only as a key", "value": "stands for nothing here"}.get(kind, f"is a {kind}")
    raise BadScalar(f"{raw[:40]} {what} in YAML: put it in quotes")


def _resolved(raw: str) -> str:
    resolve: Callable[..., str] = _RESOLVER.resolve
    return resolve(ScalarNode, raw, (True, False)).removeprefix(_TAG)


def _whole(raw: str) -> int:
    digits = raw.replace("_", "").lstrip("+-")
    if len(digits) > MAX_DIGITS:
        raise BadScalar(f"a number of {len(digits):,} digits: at most {MAX_DIGITS}")
    if ":" in digits:
        raise BadScalar(f"{raw} is a number to the base of 60 in YAML: put it in quotes")
    if re.fullmatch("0[0-7]+", digits):
        raise BadScalar(f"{raw} is an octal number in YAML: put it in quotes, or leave out the leading 0")
    return int(raw.replace("_", ""), 0)


def _number(raw: str) -> float:
    text = raw.replace("_", "").lower()
    if ":" in text:
        raise BadScalar(f"{raw} is a number to the base of 60 in YAML: put it in quotes")
    if text in _SPECIAL:
        return _SPECIAL[text]
    return float(text)
