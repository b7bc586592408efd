"""Whether the program holds a result already: an object that stands for it would be another one than the program has.

Such a result has not begun with the call: a connection pool that a function returns, or the receiver of a chained
method. Its reference count tells it from a new object. References of an object to itself do not count.
"""

from __future__ import annotations

import gc
import sys
import types
from typing import Any

#: How many objects are searched for references of a result to itself.
_MOST_SEARCHED = 200

#: What leads away from an object: to everything that its class or module holds.
_NOT_SEARCHED = (type, types.ModuleType, types.FunctionType, types.CodeType)


class ReferenceCounter:
    """Counts the references to an argument of its method. A method, as what calls it counts in the same way."""

    def count(self, value: Any) -> int:
        return sys.getrefcount(value)


def _references_to_new_object() -> int:
    value = object()
    return ReferenceCounter().count(value)


#: The references to an object that only a local of the caller holds.
_NEW = _references_to_new_object()


def is_held(value: Any, references: int) -> bool:
    """Whether something else than a local of the wrapper and the object itself holds an object.

    ``references`` is the count in a method that the wrapper has called with it.
    """
    if references <= _NEW:
        return False
    # Until Python 3.12, the locals of a frame that a debugger has looked at are kept, also in the function here.
    new = _NEW if sys.gettrace() is None else _references_to_new_object()
    return references > new + _references_to_itself(value)


def _references_to_itself(value: Any) -> int:
    seen: set[int] = {id(value)}
    waiting, count = [value], 0
    while waiting and len(seen) < _MOST_SEARCHED:
        for found in gc.get_referents(waiting.pop()):
            if found is value:
                count += 1
            elif id(found) not in seen and not issubclass(type(found), _NOT_SEARCHED):
                seen.add(id(found))
                waiting.append(found)
    return count
