"""A type, as far as it is known: how it is written, and what can be read from its values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Type:
    """What is known of a type: how it is shown, its class where it has one, what stands in its brackets.

    ``options``: the alternatives of a union, None left aside. ``optional``: whether it may be None. ``known``: whether
    it says anything at all of what can be read.
    """

    text: str
    cls: type | None = None
    args: tuple[Type, ...] = ()
    options: tuple[Type, ...] = ()
    optional: bool = False

    @property
    def known(self) -> bool:
        return self.cls is not None or any(option.known for option in self.options)

    @property
    def choices(self) -> tuple[Type, ...]:
        """The alternatives, None left aside."""
        return self.options or (self,)

    @property
    def plain(self) -> Type:
        """The type of a value that is there: without None."""
        if not self.optional:
            return self
        if self.options:
            return union(self.options)
        return replace(self, text=self.text.removesuffix(" | None"), optional=False)


#: Nothing is known, and nothing was said.
UNKNOWN = Type("")
NONE = Type("None", optional=True)


def of_class(cls: type) -> Type:
    """The type of an instance of a class."""
    return Type("object") if cls is object else Type(cls.__name__, cls)


def union(types_: Iterable[Type]) -> Type:
    """Any of these, each once."""
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
