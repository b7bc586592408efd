"""What of a value is worth an attribute, as its annotation tells, or its default, or its name."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import datetime
import decimal
import inspect
import pathlib
import re
import sys
import textwrap
import types
import typing
import uuid
from collections.abc import Iterable
from enum import Enum
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.inspection.scaffold.identifiers import snake

#: How a value is read: as it is, by its text, by its length, by its fields. *unknown* is read as it is, too; *opaque*
#: shows nothing that fits into an attribute.
Kind = Literal["scalar", "text", "sized", "fields", "unknown", "opaque"]

UNKNOWN: Any = inspect.Parameter.empty

_TEXTS = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    uuid.UUID,
    pathlib.PurePath,
)
#: What an object is known by, the first two that it has.
_IDS = ("id", "uid", "uuid", "name")


def annotations_of(function: Any) -> dict[str, Any]:
    """The annotations of a callable, resolved one by one: one that cannot be does not take the others with it."""
    inner = inspect.unwrap(getattr(function, "func", function))
    spaces = {**vars(builtins), **vars(typing), **getattr(inner, "__globals__", {})}
    found = dict(getattr(inner, "__annotations__", {}))
    return {name: resolved(annotation, spaces) for name, annotation in found.items()}


def resolved(annotation: Any, spaces: dict[str, Any]) -> Any:
    """An annotation without quotes around it; what cannot be resolved stays as it is."""
    for _ in range(3):  # quoted under `from __future__ import annotations`, it has quotes twice
        if isinstance(annotation, typing.ForwardRef):
            annotation = annotation.__forward_arg__
        if not isinstance(annotation, str):
            break
        try:
            annotation = eval(annotation, dict(spaces))
        except Exception:  # what is imported for type checkers only
            break
    return annotation


def kind_of(annotation: Any, default: Any = UNKNOWN) -> Kind:
    """How a value with this annotation is read; where it has none, its default may tell."""
    if annotation is UNKNOWN:
        return "unknown" if default is UNKNOWN or default is None else kind_of(type(default))
    if annotation is Any or annotation is object:
        return "opaque" if default is UNKNOWN or default is None else kind_of(type(default))
    if isinstance(annotation, str):
        return _kind_by_name(annotation)
    inner = _inside(annotation)
    if inner is not None:
        return kind_of(inner)
    origin = typing.get_origin(annotation)
    if origin is Literal:
        return "scalar"
    if origin in (typing.Union, types.UnionType):
        return _kind_of_union(each for each in typing.get_args(annotation) if each is not type(None))
    kind = origin or annotation
    return _kind_of_class(kind) if isinstance(kind, type) else "opaque"


def fields_of(annotation: Any) -> list[tuple[str, Kind]]:
    """The fields that an object of this type is known by, at most two, each with how it is read."""
    kind = _class_in(annotation)
    if kind is None:
        return []
    own = f"{snake(kind.__name__)}_id"
    kinds = {name: _field(kind, name) for name in (*_IDS[:3], own, _IDS[3])}
    found: list[tuple[str, Kind]] = [(name, read) for name, read in kinds.items() if read in ("scalar", "text")]
    return found[:2]


def source_of(function: Any) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The source of a function; None where there is none to read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    return next((node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))), None)


def shown_type(annotation: Any) -> str:
    """A type as a person writes it, or nothing where there is none."""
    if annotation is UNKNOWN:
        return ""
    if isinstance(annotation, str):
        return annotation
    text = annotation.__qualname__ if isinstance(annotation, type) and not _args(annotation) else str(annotation)
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", text)


def _inside(annotation: Any) -> Any:
    """What an annotation only stands around: a new type's own, an alias's value, a variable's bound."""
    if typing.get_origin(annotation) is typing.Annotated:
        return annotation.__origin__
    for name in ("__supertype__", "__bound__", "__value__"):
        inner = getattr(annotation, name, None)
        if inner is not None and not isinstance(annotation, type):
            return inner
    return None


def _kind_of_union(members: Iterable[Any]) -> Kind:
    kinds = [kind_of(member) for member in members]
    if len(kinds) == 1 or (len(set(kinds)) == 1 and kinds[0] != "fields"):
        return kinds[0]
    return "text" if {*kinds} == {"scalar", "text"} else "opaque"


def _kind_of_class(kind: type) -> Kind:
    if issubclass(kind, (str, int, float, bool, Enum)):
        return "scalar"
    if issubclass(kind, _TEXTS):
        return "text"
    if kind is type or issubclass(kind, (collections.abc.Callable, collections.abc.Iterator)):  # type: ignore[arg-type]
        return "opaque"
    if _has_fields(kind) and fields_of(kind):
        return "fields"
    if issubclass(kind, collections.abc.Sized) and not _has_fields(kind):
        return "sized"
    return "fields" if fields_of(kind) else "opaque"


def _kind_by_name(text: str) -> Kind:
    """The kind of an annotation that cannot be resolved, of which only the words are there."""
    kinds = {_word_kind(part.strip()) for part in text.split("|") if part.strip() != "None"}
    return kinds.pop() if len(kinds) == 1 else "opaque"


def _word_kind(word: str) -> Kind:
    known = getattr(builtins, word.partition("[")[0], None)
    return kind_of(known) if isinstance(known, type) else "opaque"


def _has_fields(kind: type) -> bool:
    """Whether it is a record, whatever else it may be: a tuple with names, a mapping of fixed keys."""
    return any(hasattr(kind, name) for name in ("_fields", "__dataclass_fields__", "model_fields", "__total__"))


def _class_in(annotation: Any) -> type | None:
    """The one class that an annotation is about, None aside."""
    inner = _inside(annotation)
    if inner is not None:
        return _class_in(inner)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [each for each in typing.get_args(annotation) if each is not type(None)]
        return _class_in(members[0]) if len(members) == 1 else None
    kind = typing.get_origin(annotation) or annotation
    return kind if isinstance(kind, type) and kind.__module__ != "builtins" else None


def _field(kind: type, name: str) -> Kind | None:
    """How a field of a class is read: as its annotation tells, its property's, or that of what `__init__` takes."""
    held = inspect.getattr_static(kind, name, None)
    if isinstance(held, property):
        given = annotations_of(held.fget).get("return", UNKNOWN)
        return None if given is UNKNOWN else kind_of(given)
    for base in kind.__mro__:
        annotation = vars(base).get("__annotations__", {}).get(name, UNKNOWN)
        if annotation is not UNKNOWN:
            module = sys.modules.get(base.__module__)
            return kind_of(resolved(annotation, {**vars(builtins), **vars(typing), **vars(module or typing)}))
    return _set_by_init(kind, name)


def _set_by_init(kind: type, name: str) -> Kind | None:
    """How `self.name = name` in `__init__` is read."""
    made = inspect.getattr_static(kind, "__init__", None)
    if not isinstance(made, types.FunctionType):
        return None
    tree = source_of(made)
    annotations = annotations_of(made)
    for node in ast.walk(tree) if tree else ():
        assigned = node.targets if isinstance(node, ast.Assign) else ()
        targets = (node.target,) if isinstance(node, ast.AnnAssign) else assigned
        if not any(ast.unparse(target) == f"self.{name}" for target in targets):
            continue
        if isinstance(node, ast.AnnAssign):
            return kind_of(resolved(ast.unparse(node.annotation), {**vars(builtins), **made.__globals__}))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            given = annotations.get(node.value.id, UNKNOWN)
            return None if given is UNKNOWN else kind_of(given)
    return None


def _args(annotation: Any) -> bool:
    return bool(typing.get_args(annotation))
