"""From words on a command line to arguments of a function, by its annotations.

    2   --num-rolls 2   --num_rolls=2   num_rolls=2   topic=@topics.json

A value is read as the parameter's annotation asks; without one it is JSON
where it is valid JSON, else text.  `@FILE` reads a file: JSON where it ends in
`.json`, else its text.
"""

from __future__ import annotations

import difflib
import enum
import inspect
import json
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gvstore import fs
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import BadArguments

_KINDS = inspect.Parameter
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def parse_arguments(live: LiveComponent, words: Sequence[str], folder: Path) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Returns (args, kwargs) for the component.

    Raises:
        BadArguments: they do not fit; says the signature.
    """
    hints = _hints(live.function)
    parameters = live.signature.parameters
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    positional = [p for p in parameters.values() if p.kind in (_KINDS.POSITIONAL_ONLY, _KINDS.POSITIONAL_OR_KEYWORD)]
    rest = next((p for p in parameters.values() if p.kind is _KINDS.VAR_POSITIONAL), None)
    pending = list(words)
    only_values = False
    while pending:
        word = pending.pop(0)
        if word == "--" and not only_values:
            only_values = True
            continue
        named = None if only_values else _named(word, pending, live, hints)
        if named is not None:
            name, text = named
            kwargs[name] = _value(text, hints.get(name, Any), name, live, folder)
            continue
        parameter = positional[len(args)] if len(args) < len(positional) else rest
        if parameter is None:
            raise _bad(
                live,
                f"{live.qualname} takes {len(positional)} positional argument{'s'[: len(positional) != 1]}, {word!r} is one more",
            )
        args.append(_value(word, hints.get(parameter.name, Any), parameter.name, live, folder))
    try:
        live.signature.bind(*args, **kwargs)
    except TypeError as e:
        raise _bad(live, f"{live.qualname}: {e}") from e
    return tuple(args), kwargs


def _named(word: str, pending: list[str], live: LiveComponent, hints: dict[str, Any]) -> tuple[str, str] | None:
    """Returns (parameter, text) if the word, with the next where it needs one, names a parameter."""
    if word.startswith("--"):
        name, has_value, text = word[2:].partition("=")
        negated = (
            name.startswith("no-")
            and _known(name[3:], live) is not None
            and hints.get(_known(name[3:], live) or "") is bool
        )
        parameter = _known(name[3:] if negated else name, live)
        if parameter is None:
            raise _unknown(live, name)
        if negated:
            return parameter, "false"
        if has_value:
            return parameter, text
        if hints.get(parameter) is bool and (not pending or pending[0].lower() not in _TRUE | _FALSE):
            return parameter, "true"
        if not pending:
            raise _bad(live, f"--{name} needs a value")
        return parameter, pending.pop(0)
    name, has_value, text = word.partition("=")
    if has_value and name.replace("-", "_").isidentifier():
        parameter = _known(name, live)
        if parameter is not None:
            return parameter, text
    return None


def _known(name: str, live: LiveComponent) -> str | None:
    """Returns the parameter that a name written with dashes or underscores means."""
    plain = name.replace("-", "_")
    found = live.signature.parameters.get(plain)
    if found is not None and found.kind is not _KINDS.VAR_POSITIONAL and found.kind is not _KINDS.VAR_KEYWORD:
        return plain
    takes_any = any(p.kind is _KINDS.VAR_KEYWORD for p in live.signature.parameters.values())
    return plain if takes_any and plain.isidentifier() else None


def _value(text: str, hint: Any, name: str, live: LiveComponent, folder: Path) -> Any:
    if text.startswith("@") and len(text) > 1:
        path = folder / text[1:]
        try:
            content = fs.read_bytes(path).decode()
        except OSError as e:
            raise _bad(live, f"{name}: {text[1:]} cannot be read: {e.strerror}") from e
        except UnicodeDecodeError as e:
            raise _bad(live, f"{name}: {text[1:]} is not UTF-8 text") from e
        if path.suffix != ".json":
            if _wants_json(hint):
                raise _bad(
                    live,
                    f"{name}: {text[1:]} is text, and a list or dict was asked for: write it as JSON in a .json file",
                )
            return content
        try:
            return json.loads(content)
        except ValueError as e:
            raise _bad(live, f"{name}: {text[1:]} is not JSON: {e}") from e
    try:
        return convert(text, hint)
    except (ValueError, TypeError) as e:
        raise _bad(live, f"{name}: {e}") from e


def _wants_json(hint: Any) -> bool:
    """Returns whether a text cannot be what the annotation asks for, but JSON can."""
    if typing.get_origin(hint) is typing.Annotated:
        return _wants_json(typing.get_args(hint)[0])
    return (typing.get_origin(hint) or hint) in (list, dict, tuple, set, frozenset)


def read_word(text: str, folder: Path) -> Any:
    """Returns the value that one word spells: JSON, else text; `@FILE` a file's JSON, text or bytes.

    Raises:
        BadArguments: the file cannot be read, or is not the JSON its name says.
    """
    if not text.startswith("@") or len(text) == 1:
        return _guess(text)
    path = folder / text[1:]
    try:
        data = fs.read_bytes(path)
        if path.suffix == ".json":
            return json.loads(data)
        return data.decode()
    except OSError as e:
        raise BadArguments(f"{text[1:]} cannot be read: {e.strerror}", hint="Name a file after @.") from e
    except UnicodeDecodeError:
        return data
    except ValueError as e:
        raise BadArguments(f"{text[1:]} is not JSON: {e}", hint="Mend the file, or give it another ending.") from e


def convert(text: str, hint: Any) -> Any:
    """Returns the value that `text` spells for an annotation.

    Raises:
        ValueError: it spells none.
    """
    if hint in (Any, inspect.Parameter.empty, object):
        return _guess(text)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return convert(text, inner[0])
    if origin in (typing.Union, types.UnionType):
        return _convert_union(text, inner)
    if origin is typing.Literal:
        for each in inner:
            if str(each) == text:
                return each
        raise ValueError(f"{text!r} is none of {', '.join(map(repr, inner))}")
    if hint is str:
        return text
    if hint is bool:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise ValueError(f"{text!r} is neither true nor false")
    if hint in (int, float, complex):
        try:
            return hint(text)
        except ValueError:
            raise ValueError(f"{text!r} is no {hint.__name__}") from None
    if hint is bytes:
        return text.encode()
    if hint is type(None):
        if text.lower() in ("none", "null"):
            return None
        raise ValueError(f"{text!r} is not None")
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _convert_enum(text, hint)
    if isinstance(hint, type) and issubclass(hint, Path):
        return hint(text)
    return _convert_container(text, origin or hint, hint)


def _convert_union(text: str, choices: tuple[Any, ...]) -> Any:
    for each in sorted(choices, key=lambda c: c is str):  # text last: it takes anything
        try:
            return convert(text, each)
        except ValueError:
            continue
    raise ValueError(f"{text!r} is none of {', '.join(getattr(c, '__name__', str(c)) for c in choices)}")


def _convert_enum(text: str, hint: type[enum.Enum]) -> Any:
    for member in hint:
        if text in (member.name, str(member.value)):
            return member
    raise ValueError(f"{text!r} is none of {', '.join(m.name for m in hint)}")


def _convert_container(text: str, kind: Any, hint: Any) -> Any:
    """Reads JSON for lists, dicts, tuples and sets; anything else is guessed."""
    if kind in (list, dict, tuple, set, frozenset) or getattr(kind, "__module__", "") == "collections.abc":
        try:
            value = json.loads(text)
        except ValueError:
            raise ValueError(f"{text!r} is not JSON, as {getattr(hint, '__name__', hint)} needs") from None
        if kind in (tuple, set, frozenset) and isinstance(value, list):
            return kind(value)
        if isinstance(kind, type) and kind in (list, dict) and not isinstance(value, kind):
            raise ValueError(f"{text} is no {kind.__name__}")
        return value
    return _guess(text)


def _guess(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # an annotation that names nothing
        return {}


def _bad(live: LiveComponent, message: str) -> BadArguments:
    return BadArguments(message, hint=f"Its signature is {live.qualname}{live.signature}.")


def _unknown(live: LiveComponent, name: str) -> BadArguments:
    names = [n.replace("_", "-") for n in live.parameters]
    near = difflib.get_close_matches(name, names, 1, 0.4)
    better = f"Did you mean --{near[0]}? " if near else ""
    return BadArguments(
        f"{live.qualname} has no parameter {name.replace('-', '_')}",
        hint=f"{better}Its signature is {live.qualname}{live.signature}.",
    )
