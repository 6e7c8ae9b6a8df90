"""A graph for Hamilton: its functions are its nodes, its parameters what they need."""

from __future__ import annotations

from typing import Any

import gvstore as gv

RAN: list[str] = []


def outline(prompt_input: str, style: str = "plain") -> str:
    """Returns what is to be seen."""
    RAN.append("outline")
    return f"{style} {prompt_input}"


@gv.register
def generated_image(outline: str, size: int) -> str:
    """Returns a picture of the outline."""
    RAN.append("generated_image")
    return f"<{outline}>" * size


def note(prompt_input: str) -> str:
    """Returns a remark."""
    return f"drew {prompt_input}"


def broken(prompt_input: str) -> Any:
    """Fails."""
    raise ConnectionError(prompt_input)
