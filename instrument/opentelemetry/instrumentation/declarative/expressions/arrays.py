"""Arrays, tensors and scalars of numpy, pandas, PyTorch and others, known by the names that their classes define.

No such library is imported. The times of numpy are here as well: numpy counts them in a unit of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS, MAX_VALUES
from opentelemetry.instrumentation.declarative.expressions.missing_types import is_missing_type
from opentelemetry.instrumentation.declarative.expressions.type_facts import has_on_type, type_title

#: The kinds of a ``dtype``: points in time and durations.
_MOMENT, _DURATION = "M", "m"
_SIMPLE = frozenset({str, int, float, bool, type(None), list, tuple, dict})
#: Whether a class is one of arrays, by class. The classes belong to the program, and are not kept alive.
_array_types: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def is_array_type(kind: type) -> bool:
    found = _array_types.get(kind)
    if found is None:
        found = _array_types[kind] = has_on_type(kind, "dtype", "shape", "tolist")
    return found


def measures_time(value: Any) -> bool:
    """Whether a value is a duration, or a time or array of times of numpy: not a number, though some compare to one."""
    kind = type(value)
    if kind in _SIMPLE:
        return False
    if issubclass(kind, timedelta):
        return True
    return is_array_type(kind) and _kind(value) in (_MOMENT, _DURATION)


def is_missing(value: Any) -> bool:
    """Whether a value is ``NA`` or ``NaT``, or marks an argument as not given. Python considers most of them true."""
    kind = type(value)
    if kind in _SIMPLE:
        return False
    return is_missing_type(kind) or (is_array_type(kind) and _is_no_time(value))


def _kind(value: Any) -> Any:
    return getattr(value.dtype, "kind", "")


def _is_no_time(value: Any) -> bool:
    return _kind(value) in (_MOMENT, _DURATION) and not tuple(value.shape) and str(value) == "NaT"


def array_value(value: Any) -> Any:
    """What a scalar, an array or a tensor is recorded as; the name of its type if it is too large or on a device."""
    if not _is_in_memory(value):
        return type_title(type(value))
    shape = tuple(value.shape)
    if len(shape) == 1 and shape[0] > MAX_ITEMS:
        value = value[: MAX_ITEMS + 1]
    elif len(shape) > 1 and _product(shape) > MAX_VALUES:
        return type_title(type(value))
    return None if _is_no_time(value) else _as_python(value)


def array_items(value: Any, most: int) -> list[Any] | None:
    """The first items of an array or a tensor with one dimension; None for anything else."""
    is_array = is_array_type(type(value)) and len(tuple(value.shape)) == 1 and _is_in_memory(value)
    return _as_python(value[:most]) if is_array else None


def _as_python(value: Any) -> Any:
    kind = _kind(value)
    if kind == _MOMENT:  # its own conversion to Python has integers of an unknown unit
        return _without_no_times(value.astype(str).tolist(), "NaT")
    if kind == _DURATION:
        return _without_no_times((value.astype("timedelta64[ns]").astype("int64") / 1e9).tolist(), _NO_DURATION)
    found = value.tolist()
    return float(found) if type(found) is type(value) else found  # a `longdouble` has no type of Python


#: The duration that stands for none.
_NO_DURATION = -(2**63) / 1e9


def _without_no_times(found: Any, no_time: Any) -> Any:
    """The values, each of which is None if it stands for no time."""
    if isinstance(found, list):
        return [_without_no_times(each, no_time) for each in found]
    return None if found == no_time else found


def _is_in_memory(value: Any) -> bool:
    """Whether the array is in the memory of the process: to copy it from another device would block."""
    device = getattr(value, "device", "cpu")
    return "cpu" in (device, getattr(device, "type", ""), getattr(device, "platform", ""))


def _product(numbers: Iterable[int]) -> int:
    product = 1
    for number in numbers:
        product *= number
    return product
