"""Values that an ORM knows without loading them: the primary key of an object whose attributes have expired."""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.declarative.runtime.context.own_reading import UNKNOWN


def sqlalchemy_key(attribute: Any, state: Any, dict_: Any, *_passive: Any, **_more: Any) -> Any:
    """The value of an expired attribute of SQLAlchemy that is a part of the primary key, from the object's identity.

    The attribute remains expired. ``attribute`` is SQLAlchemy's implementation of it.
    """
    name = attribute.key
    if name in dict_ or state.key is None or name not in state.expired_attributes:
        return UNKNOWN
    mapper = state.manager.mapper
    columns = getattr(mapper.attrs.get(name), "columns", ())  # a relationship has none
    for column, value in zip(mapper.primary_key, state.key[1], strict=False):
        if any(column is each for each in columns):
            return value
    return UNKNOWN
