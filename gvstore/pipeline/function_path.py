"""`file.py:function`: where a Python function of the project stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from gvstore.pipeline.name import why_no_path
from gvstore.pipeline.place import Place


@dataclass(frozen=True, slots=True)
class FunctionPath:
    """A function, by the file that defines it (below the project's folder) and its name there; `place` is where it was typed."""

    PATTERN: ClassVar[str] = r"^[^:]+\.py:[A-Za-z_]\w*$"

    file: str
    function: str
    place: Place

    def __str__(self) -> str:
        return f"{self.file}:{self.function}"


def parse_function_path(text: str, place: Place) -> FunctionPath:
    """Returns the function that a text names.

    Raises:
        ValueError: it is not of the form, or leads out of the project; says what to write.
    """
    why = why_no_path(text)
    if why:
        raise ValueError(why)
    file, _, function = text.rpartition(":")
    if not file or not file.endswith(".py") or not re.fullmatch(r"[^\W\d]\w*", function):
        raise ValueError("a function is written as file.py:function")
    return FunctionPath(file.removeprefix("./"), function, place)
