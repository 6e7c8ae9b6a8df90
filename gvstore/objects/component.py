"""Components: one version of a function or class, as what ran and as what a commit holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gvstore.objects import number
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import FieldReader, FieldWriter

BLOCK: Final = "block"  # the flavor of a block: what it does stands in the call that it is a part of
STEP: Final = ("action", "state", "inputs")
"""The arguments of a machine's step, whatever the parameters of its action's function are."""


@dataclass(frozen=True, slots=True)
class Component:
    """One version of a function or class.

    `name` is its path from the project root, dotted.  `text`, `own` and
    `reach` are code hashes of 32 bytes, or empty where not known: of the exact
    source, of the normalised definition, of all it reaches.  `library` is
    `distribution==major` for components of installed packages, whose text does
    not count.  `version` is the user's pin.
    """

    name: str
    flavor: str
    signature: str = ""
    parameters: tuple[str, ...] = ()
    doc: str = ""
    source: str = ""
    text: bytes = b""
    own: bytes = b""
    reach: bytes = b""
    library: str = ""
    version: str = ""

    @property
    def code(self) -> bytes:
        """What must be equal for two versions to be the same code: the pin, the library, or the own hash and that of what it reaches."""
        return (self.version or self.library).encode() or (self.own or self.text) + self.reach

    def put(self, writer: ObjectWriter) -> ObjectId:
        """Returns the oid of this component, stored."""
        fields = FieldWriter(writer, Kind.COMPONENT, number.COMPONENT)
        fields.value(self.name).value(self.flavor).value(self.signature).value(self.parameters)
        fields.value(self.doc).value(self.source)
        for code in (self.text, self.own, self.reach):
            fields.value(bytes(code))  # an ObjectId is a subclass
        return fields.value(self.library).value(self.version).put()

    @classmethod
    def get(cls, reader: ObjectReader, oid: ObjectId) -> Component:
        """Returns the component `oid`."""
        f = FieldReader(reader, oid, Kind.COMPONENT, number.COMPONENT)
        return cls(
            f.value(str), f.value(str), f.value(str), f.texts(), f.value(str), f.value(str),
            f.value(bytes), f.value(bytes), f.value(bytes), f.value(str), f.value(str),
        )  # fmt: skip
