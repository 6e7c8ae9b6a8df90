"""What can go wrong with stores, references, types and contexts.

UsageFault
├── ContextError          a context that is not registered, or of another class
│   └── NoActiveContext   nothing is active where something must be
│       └── NoActiveStore
├── RegistryError         a type that cannot be registered, or that two wrappers claim
│   └── UnregisteredResource
├── FieldTypeError        a value that no field can hold
│   ├── MissingWrapperError
│   └── CycleDetected
├── TypeKeyError, DistributionKeyError, TypeInferenceFailed
└── SerializationError, DeserializationError
GvError
└── RefError              a reference that is not what it claims to be
    └── NotFound
"""

from __future__ import annotations

from gvstore.errors import GvError, UsageFault


class ContextError(UsageFault):
    """A context that is not registered, not initialised, or of another class."""


class NoActiveContext(ContextError):
    """Something needs a context of a class, and none is active."""


class NoActiveStore(NoActiveContext):
    """Something needs a store, and none is active."""

    hint = "Work inside `with gv.open('.'):` or `with gv.InMemoryStore():`, or call gv.use('.')."

    def __init__(self, message: str = "no store is active", *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)


class RefError(GvError):
    """A reference that cannot be what it claims to be."""

    exit_code = 14


class NotFound(RefError):
    """The store does not hold what the reference names."""


class RegistryError(UsageFault):
    """A type that cannot be registered, or a value that two registered wrappers claim."""


class UnregisteredResource(RegistryError):
    """No registered type has this name."""

    hint = "Import the module that registers it."


class FieldTypeError(UsageFault, TypeError):
    """A value that no field of a resource can hold."""


class MissingWrapperError(FieldTypeError):
    """A type that has no encoding and no registered TypeWrapper."""

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name
        super().__init__(f"values of type {type_name} cannot be stored. Please register a TypeWrapper for it.")


class CycleDetected(FieldTypeError):
    """A resource that contains itself."""


class TypeKeyError(RefError):
    """The types that a stored value needs cannot be told."""


class DistributionKeyError(RefError):
    """A type that a stored value needs belongs to no registered distribution."""

    hint = "Call gv.register_distribution(name) before the type is registered."


class TypeInferenceFailed(UsageFault, TypeError):
    """An annotation that has no type descriptor."""


class SerializationError(UsageFault):
    """A resource that cannot be written as JSON."""


class DeserializationError(UsageFault, ValueError):
    """Bytes that are no serialized resource."""
