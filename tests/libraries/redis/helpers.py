"""Commands without their values, and what RediSearch writes into flat lists."""

from itertools import pairwise
from typing import Any

LONGEST = 1000
TYPES = ("NUMERIC", "TEXT", "GEO", "TAG", "VECTOR")


def sanitized(command: tuple[Any, ...]) -> str:
    """The name of a command, with a question mark for each value."""
    text = str(command[0]) + " ?" * (len(command) - 1) if command else ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def fields(arguments: tuple[Any, ...]) -> str:
    """The fields of an index, from the arguments of FT.CREATE: each name is followed by its type."""
    pairs = pairwise(arguments[arguments.index("SCHEMA") :])
    return "".join(f"Field(name: {name}, type: {kind});" for name, kind in pairs if kind in TYPES)


def documents(response: list[Any]) -> dict[str, Any]:
    """The fields of the documents in an answer of FT.SEARCH: their number, then each id and its names and values."""
    found = zip(response[1::2], response[2::2], strict=False)
    return {
        f"xdoc_{key}.{name}": value
        for key, entries in found
        for name, value in zip(entries[::2], entries[1::2], strict=True)
    }
