"""Parts of pydantic models: instances that have some of the fields, each validated by itself.

pydantic is never imported here: who has a model has imported it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import Annotated, Any, cast

from gvstore.machine.duplicate import duplicate


def is_model(kind: Any) -> bool:
    """Returns whether this is a class of pydantic models."""
    pydantic: Any = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(kind, type) and issubclass(cast("Any", kind), pydantic.BaseModel)


def partial_model(kind: Any, values: Mapping[str, Any]) -> Any:
    """Returns an instance that has these fields, as they are, and no others: what is not there has no default either."""
    made = kind.__new__(kind)
    extra = {name: value for name, value in values.items() if name not in kind.model_fields}
    private: dict[str, Any] = {}
    for name, each in kind.__private_attributes__.items():
        if each.default_factory is None:
            if type(each.default).__name__ != "PydanticUndefinedType":
                private[name] = duplicate(each.default)
        else:
            takes_data = getattr(each, "default_factory_takes_validated_data", False)
            private[name] = each.default_factory({**values, **private}) if takes_data else each.default_factory()
    object.__setattr__(made, "__dict__", {name: value for name, value in values.items() if name not in extra})
    object.__setattr__(made, "__pydantic_fields_set__", set(values))
    object.__setattr__(made, "__pydantic_extra__", extra if kind.model_config.get("extra") == "allow" else None)
    object.__setattr__(made, "__pydantic_private__", private or None)
    return made


def valid_field(kind: Any, name: str, value: Any, beside: Mapping[str, Any]) -> Any:
    """Returns a field's value as the model takes it; `beside` are other fields, which its validators may look at.

    Of a model that is validated as a whole, or never changes, only what is
    annotated counts.

    Raises:
        ValidationError: pydantic's; each place in it begins with the field's name.
    """
    field = kind.model_fields.get(name)
    if field is None:
        return value
    if _assigns(kind, field):
        made = partial_model(kind, {each: other for each, other in beside.items() if each != name})
        kind.__pydantic_validator__.validate_assignment(made, name, value)
        return vars(made)[name]
    return _alone(kind, name).__pydantic_validator__.validate_python({name: value}).__dict__[name]


def _assigns(kind: Any, field: Any) -> bool:
    decorators = kind.__pydantic_decorators__
    is_frozen = kind.model_config.get("frozen") or field.frozen
    return not (is_frozen or decorators.model_validators or decorators.root_validators)


@functools.lru_cache(maxsize=1024)
def _alone(kind: Any, name: str) -> Any:
    """Returns a model of one field."""
    pydantic: Any = sys.modules["pydantic"]
    field = kind.model_fields[name]
    annotation = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    config = {key: value for key, value in kind.model_config.items() if key in ("arbitrary_types_allowed", "strict", "coerce_numbers_to_str")}
    return pydantic.create_model(kind.__name__, __config__=config, **{name: (annotation, ...)})
