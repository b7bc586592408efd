"""Types as far as they are known: how they are written, and what can be read from their values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Type:
    """A type: its text, its class if it has one, and its type arguments.

    ``options`` are the alternatives of a union without None; ``optional`` says whether None is one of them.
    """

    text: str
    cls: type | None = None
    args: tuple[Type, ...] = ()
    options: tuple[Type, ...] = ()
    optional: bool = False

    @property
    def known(self) -> bool:
        """Whether anything is known about what can be read from a value."""
        return self.cls is not None or any(option.known for option in self.options)

    @property
    def choices(self) -> tuple[Type, ...]:
        """The alternatives of a union, or the type itself; without None."""
        return self.options or (self,)

    def has(self, *classes: type) -> bool:
        """Whether one of these classes is an alternative."""
        return any(choice.cls in classes for choice in self.choices)

    @property
    def plain(self) -> Type:
        """The type without None."""
        if not self.optional:
            return self
        if self.options:
            return union(self.options)
        return replace(self, text=self.text.removesuffix(" | None"), optional=False)


#: There is no annotation and nothing else is known.
UNKNOWN = Type("")
NONE = Type("None", optional=True)


def of_class(cls: type) -> Type:
    """Return the type of an instance of a class."""
    return Type("object") if cls is object else Type(cls.__name__, cls)


def union(types_: Iterable[Type]) -> Type:
    """Return the union of types without duplicates; UNKNOWN if one of them is."""
    found: dict[str, Type] = {}
    optional = False
    for one in types_:
        optional = optional or one.optional
        for option in one.choices:
            if option.text != "None":
                kept = option.plain
                found.setdefault(kept.text, kept)
    if not found:
        return NONE if optional else UNKNOWN
    if "" in found:
        return UNKNOWN
    text = " | ".join([*found, *(["None"] if optional else [])])
    if len(found) == 1:
        return replace(next(iter(found.values())), text=text, optional=optional)
    return Type(text, options=tuple(found.values()), optional=optional)
