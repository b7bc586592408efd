"""The types whose values can be recorded without running the program's own code, in one table.

A value of any other type is recorded as the name of its type. Types are listed by name, so that none has to be
imported, and a subclass is recorded as its base class is.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from opentelemetry.instrumentation.declarative.expressions.arrays import array_value, is_array_type
from opentelemetry.instrumentation.declarative.expressions.field_values import FIELD_TABLES, fields_of
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS
from opentelemetry.instrumentation.declarative.expressions.missing_types import (
    NO_DATA_TYPES,
    NOT_GIVEN_TYPES,
    is_missing_type,
)
from opentelemetry.instrumentation.declarative.expressions.type_facts import (
    ORIGINAL,
    has_on_type,
    on_type,
    original,
    type_title,
)

#: The most conversions of one value: that of a member of an enumeration may be a member of another one.
_MAX_STEPS = 5

Converter = Callable[[Any], Any]


class KnownTypes(NamedTuple):
    """A row of the table: some types, how the documentation names them, and what their values become."""

    names: tuple[str, ...]
    title: str
    recorded_as: str
    convert: Converter


def _evaluated(value: Any) -> Any:
    """The object in a lazy object of Django; None if it has not been made."""
    found = vars(value).get("_wrapped")
    return None if type(found) is object else found


def _unless_unevaluated(value: Any) -> str | None:
    return None if vars(value).get("_result_cache") is None else type_title(type(value))


def _unchanged(value: Any) -> Any:
    return value


def _missing(_value: Any) -> None:
    return None


def _enum_value(value: Any) -> Any:
    return value.value


def _seconds(value: Any) -> float:
    seconds: float = value.total_seconds()
    return seconds


def _float(value: Any) -> float:
    """The number as a float. A signalling NaN, which Python refuses to convert, is a NaN."""
    try:
        return float(value)
    except ValueError:
        return math.nan


def _iso(value: Any) -> str:
    text: str = value.isoformat()
    return text


def _decoded(value: Any) -> str:
    return bytes(value).decode("utf-8", "replace")


def _items(value: Any) -> list[Any]:
    return list(islice(value, MAX_ITEMS + 1))


def _sorted_items(value: Any) -> list[Any]:
    """The items of a set in an order that is the same in every process, if they have one."""
    items = _items(value)
    return sorted(items) if {type(item) for item in items} in ({str}, {int}) else items


def _entries(value: Any) -> dict[Any, Any]:
    return dict(islice(value.items(), MAX_ITEMS + 1))


def _pattern(value: Any) -> Any:
    return value.pattern


_BUILTINS = ("str", "int", "float", "bool")


KNOWN_TYPES: tuple[KnownTypes, ...] = (
    KnownTypes(_BUILTINS, "text, integers, floats, booleans", "themselves", _unchanged),
    KnownTypes(
        ("NoneType", *NO_DATA_TYPES),
        "`None`, `NA` and `NaT` of pandas, `NaT` of numpy",
        "nothing: the value is missing",
        _missing,
    ),
    KnownTypes(
        NOT_GIVEN_TYPES,
        "the defaults of arguments that are not given, such as `NotGiven` and `Omit` of OpenAI's client",
        "nothing: the value is missing",
        _missing,
    ),
    KnownTypes(("enum.Enum",), "members of enumerations", "the value of the member", _enum_value),
    KnownTypes(("decimal.Decimal", "fractions.Fraction"), "`Decimal`, `Fraction`", "a float", _float),
    KnownTypes(("datetime.timedelta",), "`timedelta`", "seconds, a float", _seconds),
    KnownTypes(
        ("datetime.datetime", "datetime.date", "datetime.time"), "`datetime`, `date`, `time`", "ISO 8601 text", _iso
    ),
    KnownTypes(("bytes", "bytearray", "memoryview"), "bytes", "text, decoded as UTF-8", _decoded),
    KnownTypes(
        (
            "uuid.UUID",
            "ipaddress.IPv4Address",
            "ipaddress.IPv6Address",
            "ipaddress.IPv4Network",
            "ipaddress.IPv6Network",
            "zoneinfo.ZoneInfo",
            "datetime.timezone",
            "complex",
            "range",
            "BaseException",
        ),
        "UUIDs, IP addresses, time zones, complex numbers, ranges, exceptions",
        "their text",
        str,
    ),
    KnownTypes(
        (
            "numpy.dtype",
            "torch.dtype",
            "torch.device",
            "pandas.core.dtypes.base.ExtensionDtype",
            "pandas.api.extensions.ExtensionDtype",
        ),
        "data types of numpy, pandas and PyTorch, devices of PyTorch",
        "their text",
        str,
    ),
    KnownTypes(("re.Pattern",), "regular expressions", "the pattern", _pattern),
    KnownTypes(("list", "tuple"), "lists, tuples", "a list, or JSON if the items are not all of one kind", _unchanged),
    KnownTypes(
        (
            "dict_keys",
            "dict_values",
            "dict_items",
            "odict_keys",
            "odict_values",
            "odict_items",
            "collections.deque",
            "collections.UserList",
            "array.array",
        ),
        "views of mappings, `deque`, `array`",
        "as a list",
        _items,
    ),
    KnownTypes(("set", "frozenset"), "sets", "as a list; text and integers are sorted", _sorted_items),
    KnownTypes(("dict",), "`dict`", "JSON", _unchanged),
    KnownTypes(
        ("mappingproxy", "collections.UserDict", "collections.ChainMap"),
        "`MappingProxyType`, `UserDict`, `ChainMap`",
        "JSON",
        _entries,
    ),
    KnownTypes(
        ("pydantic.main.BaseModel", "msgspec.Struct"),
        "dataclasses, and classes of attrs, pydantic and msgspec",
        "JSON of the fields; those with `repr=False` are left out",
        fields_of,
    ),
)

#: Values that work has to be done for, and that are missing until the program has done it.
LAZY_TYPES: tuple[KnownTypes, ...] = (
    KnownTypes(("django.db.models.query.QuerySet",), "a `QuerySet` of Django", "its type", _unless_unevaluated),
    KnownTypes(("django.utils.functional.LazyObject",), "a lazy object of Django", "what it stands for", _evaluated),
    KnownTypes(
        ("django.utils.functional.Promise",), "a lazy text of Django", "missing; `str(x)` is its text", _missing
    ),
)

_BY_NAME = {name: row.convert for row in (*KNOWN_TYPES, *LAZY_TYPES) for name in row.names}
#: Converters by type. The types belong to the program, and are not kept alive.
_converters: WeakKeyDictionary[type, Converter] = WeakKeyDictionary()
_EXACT = frozenset({str, int, float, bool, type(None), list, tuple, dict})


def plain(value: Any) -> Any:
    """The value as text, a number, a boolean, None, a list or a mapping; the items of the last two are unchanged."""
    for _ in range(_MAX_STEPS):
        kind = type(value)
        if kind in _EXACT:
            return value
        convert = _converters.get(kind)
        if convert is None:
            convert = _converters[kind] = _converter(kind)
        if convert is _unchanged:
            return value
        value = convert(value)
    return type_title(type(value))


def _converter(kind: type) -> Converter:
    if on_type(kind, ORIGINAL) is not None:
        return original
    for base in kind.__mro__:
        if (found := _BY_NAME.get(type_title(base))) is not None:
            return found
    if issubclass(kind, type):
        return type_title
    return next((convert for applies, convert in _BY_FORM if applies(kind)), _type_of_value)


def _type_of_value(value: Any) -> str:
    return type_title(type(value))


# ── Types that are known by what they define ──


def _number(convert: Callable[[Any], float]) -> Converter:
    def converted(value: Any) -> Any:
        try:
            return convert(value)
        except Exception:  # such as a symbolic expression
            return _type_of_value(value)

    return converted


def _name(value: Any) -> str:
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None) or value.__name__
    return name if module in (None, "builtins") else f"{module}.{name}"


_NAMED = frozenset(
    {"function", "builtin_function_or_method", "method", "method_descriptor", "wrapper_descriptor", "module"}
)

#: Whether a class is of a form, and what its values become.
_BY_FORM: tuple[tuple[Callable[[type], bool], Converter], ...] = (
    (is_missing_type, _missing),
    (is_array_type, array_value),
    (lambda kind: has_on_type(kind, "__index__"), _number(operator.index)),
    (lambda kind: has_on_type(kind, "__float__"), _number(float)),
    (lambda kind: any(on_type(kind, name) for name in FIELD_TABLES[:2]), fields_of),
    (lambda kind: has_on_type(kind, "__fspath__"), lambda value: value.__fspath__()),
    (lambda kind: type_title(kind) in _NAMED, _name),
)
#: The same, for the documentation.
FORMS: tuple[tuple[str, str], ...] = (
    ("numbers, arrays and tensors of numpy, pandas, PyTorch and others, in main memory", "a number, a list or JSON"),
    ("other numbers: what has `__index__` or `__float__`", "an integer or a float"),
    ("paths: what has `__fspath__`", "text"),
    ("classes, functions, modules", "their name"),
    ("**anything else**", "the name of its type"),
)
