"""PIL: images, as their pixels.

`[43, "PIL:Image", mode, width, height, format, palette, info, pixels]`, the palette `[mode,
bytes]` or nil.  An image read from a file comes back as a plain Image that
remembers the file's format; one of several frames is opaque.
"""

from __future__ import annotations

import sys
from typing import Any

from gvstore.objects import number
from gvstore.objects.expand import Expander, Expansion, opaque


def _pillow() -> Any:
    return sys.modules["PIL.Image"]


def classify(type_: type) -> Expander | None:
    """Returns the expander of an image class of PIL, or None."""
    own = type_.__module__.partition(".")[0] == "PIL"
    return _image if own and "PIL.Image" in sys.modules and issubclass(type_, _pillow().Image) else None


def _image(value: Any) -> Expansion:
    if getattr(value, "n_frames", 1) > 1:
        return opaque(value, "several frames")
    pixels = value.tobytes()  # a file is read now
    palette = None
    if value.palette is not None:
        palette = [value.palette.mode, bytes(value.getpalette(value.palette.mode) or ())]
    width, height = value.size
    return number.IMAGE, ("PIL:Image", value.mode, width, height, value.format, palette, dict(value.info), pixels)


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns the image."""
    mode, width, height, form, palette, info, pixels = parts
    if width * height > 8 * len(pixels):
        raise ValueError("more pixels than there are bytes for")
    pillow = _pillow()
    made = pillow.frombytes(mode, (width, height), pixels) if pixels else pillow.new(mode, (width, height))
    if palette is not None:
        made.putpalette(palette[1], palette[0])
    made.info, made.format = info, form
    return made
