"""The values of the fields of an object: of dataclasses, and of classes of attrs, pydantic and msgspec."""

from __future__ import annotations

from types import MemberDescriptorType
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.type_facts import on_type

#: Where classes list their fields.
FIELD_TABLES = (
    "__dataclass_fields__",
    "__attrs_attrs__",
    "__pydantic_fields__",
    "model_fields",
    "__fields__",
    "__struct_fields__",
)


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, or of a class of attrs, pydantic or msgspec, except those that its text leaves out."""
    kind = type(value)
    fields = next(found for name in FIELD_TABLES if (found := on_type(kind, name)) is not None)
    if isinstance(fields, dict):
        names = [name for name, field in fields.items() if _is_shown(field)]
    else:
        names = [field if type(field) is str else field.name for field in fields if _is_shown(field)]
    present = getattr(value, "__dict__", {})
    found = {}
    for name in names:
        slot = on_type(kind, name)
        if name in present:
            found[name] = present[name]
        elif isinstance(slot, MemberDescriptorType) and hasattr(value, name):
            found[name] = getattr(value, name)
    return found


def _is_shown(field: Any) -> bool:
    kind = getattr(field, "_field_type", None)  # a dataclass lists its class variables, too
    excluded = getattr(field, "exclude", None) is True
    return getattr(field, "repr", True) is not False and not excluded and getattr(kind, "name", "_FIELD") == "_FIELD"
