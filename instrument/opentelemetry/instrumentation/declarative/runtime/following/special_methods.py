"""The special methods of a class."""

from __future__ import annotations

from typing import Any, NamedTuple

_OTHERS = """
repr str bytes format lt le eq ne gt ge hash bool sizeof call fspath
len length_hint getitem setitem delitem missing contains reversed iter next
neg pos abs invert complex int float index round trunc floor ceil divmod rdivmod
enter exit aenter aexit await aiter anext buffer release_buffer
copy deepcopy reduce reduce_ex getstate setstate getnewargs getnewargs_ex
"""
_OPERATORS = "add sub mul matmul truediv floordiv mod pow lshift rshift and xor or"

#: The special methods that a proxy forwards if its object has them. Those that make or describe a class are not here.
SPECIAL_METHODS = tuple(
    f"__{name}__"
    for name in (*_OTHERS.split(), *(f"{kind}{name}" for name in _OPERATORS.split() for kind in ("", "r", "i")))
)


class Defined(NamedTuple):
    """What a class defines under a name. None stands for a method that it does not have, such as ``__hash__``."""

    value: Any


def defined(cls: type, name: str) -> Defined | None:
    """What a class or one of its bases defines under a name, without calling anything of the program."""
    for base in type.__dict__["__mro__"].__get__(cls):
        if name in (namespace := type.__dict__["__dict__"].__get__(base)):
            return Defined(namespace[name])
    return None


def has_methods(cls: type, *names: str) -> bool:
    """Whether a class has all of these special methods."""
    return all((found := defined(cls, name)) is not None and found.value is not None for name in names)
