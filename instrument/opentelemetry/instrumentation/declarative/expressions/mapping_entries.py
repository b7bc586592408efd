"""The entries of a mapping, such as headers, as attributes: which of them are recorded, and under which keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import cut_content, hashed_content
from opentelemetry.instrumentation.declarative.expressions.headers import decoded
from opentelemetry.instrumentation.declarative.expressions.known_types import plain
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS
from opentelemetry.instrumentation.declarative.expressions.patterns import SafePattern, compiled_pattern, safe_pattern

#: The most entries of one mapping that are recorded: as many as the SDK accepts attributes of a span by default.
MAX_ENTRIES = 128
REDACTED = "[REDACTED]"
#: The most names of which it is remembered whether they are recorded.
_MOST_NAMES = 1_000
#: A longer name is not that of a header.
_MAX_NAME = 200
_BYTES = (bytes, bytearray, memoryview)


class MappingEntries(dict[str, Any]):
    """The recorded entries of a mapping, by attribute key. They stand for one attribute until they are recorded."""

    def each(self, convert: Callable[[Any], Any]) -> MappingEntries:
        return MappingEntries((key, convert(value)) for key, value in self.items())


def cut_values(value: Any, length: int) -> Any:
    """The first characters of content, also of each entry of a mapping."""
    if isinstance(value, MappingEntries):
        return value.each(lambda entry: cut_content(entry, length))
    return cut_content(value, length)


def hashed_values(value: Any) -> Any:
    """The hash of content, also of each entry of a mapping."""
    return value.each(hashed_content) if isinstance(value, MappingEntries) else hashed_content(value)


def mapping_entries(
    value: Any, prefix: str, only: str, redact: str = "", case: str | None = None, as_list: bool = False
) -> MappingEntries | None:
    """Return the entries of a mapping or of pairs whose names match ``only``, with their names after the prefix.

    ``only`` and ``redact`` are patterns separated by line breaks. Raises TypeError if the value has no entries.
    """
    if value is None:
        return None
    selection = _selection(prefix, only, redact, case)
    found: dict[str, list[Any]] = {}
    for name, entry in islice(_entries(value), MAX_ITEMS):
        if entry is None:
            continue
        key, is_redacted = selection.key_of(name)
        if key is None or (key not in found and len(found) >= MAX_ENTRIES):
            continue
        found.setdefault(key, []).append(REDACTED if is_redacted else _readable(entry))
    return MappingEntries((key, _recorded(values, as_list=as_list)) for key, values in found.items())


def named_pattern(pattern: str, *, whole: bool) -> SafePattern:
    """A pattern for the names of entries, in any case. ``whole``: for all of a name, otherwise for its beginning.

    Raises PatternError.
    """
    compiled_pattern(pattern)
    return safe_pattern(rf"(?i)^(?:{pattern})\Z" if whole else f"(?i)^(?:{pattern})")


class _Selection:
    """Decides which names are recorded, and under which key."""

    def __init__(self, prefix: str, only: Iterable[str], redact: Iterable[str], case: str | None) -> None:
        self._prefix = prefix
        self._only = [named_pattern(each, whole=True) for each in only]
        self._redact = [named_pattern(each, whole=False) for each in redact]
        self._case = case
        self._known: dict[str, tuple[str | None, bool]] = {}

    def key_of(self, name: str) -> tuple[str | None, bool]:
        """Return the key of an entry, None if it is not recorded, and whether its value is redacted."""
        known = self._known.get(name)
        if known is None:
            known = self._decide(name)
            if len(self._known) < _MOST_NAMES:
                self._known[name] = known
        return known

    def _decide(self, name: str) -> tuple[str | None, bool]:
        if len(name) > _MAX_NAME or not _matches(self._only, name):
            return None, False
        written = name if self._case is None else name.lower()
        if self._case == "snake":
            written = written.replace("-", "_")
        return self._prefix + written, _matches(self._redact, name)


@lru_cache(maxsize=1_000)
def _selection(prefix: str, only: str, redact: str, case: str | None) -> _Selection:
    return _Selection(prefix, filter(None, only.split("\n")), filter(None, redact.split("\n")), case)


def _matches(patterns: Iterable[SafePattern], name: str) -> bool:
    return any(len(name) <= each.max_length and each.compiled.match(name) for each in patterns)


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """The names and values of a mapping, of pairs, or of an object for headers. Does not exhaust an iterator."""
    fields = plain(value)
    entries: Iterable[Any]
    if isinstance(fields, dict):
        entries = dict.items(fields)
        if "wsgi.version" in fields or "wsgi.input" in fields:
            entries = _headers_of_environment(entries)
    elif isinstance(fields, (list, tuple)):
        entries = fields
    elif hasattr(type(value), "__getitem__") and hasattr(type(value), "items"):
        read: Any = getattr(type(value), "multi_items", None) or type(value).items  # each occurrence of a header
        entries = read(value)
    else:
        raise TypeError(f"an object of type {type(value).__name__} has no entries")
    for entry in islice(entries, MAX_ITEMS):
        if isinstance(entry, (list, tuple)) and len(entry) == 2 and (name := decoded(entry[0])) is not None:
            yield name, entry[1]


def _headers_of_environment(entries: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    """The headers in an environment of WSGI, where `HTTP_X_ID` stands for `x-id`."""
    for name, value in entries:
        if isinstance(name, str) and name.startswith(("HTTP_", "CONTENT_")):
            yield name.removeprefix("HTTP_").replace("_", "-").lower(), value


def _readable(value: Any) -> Any:
    """A value with the text in place of bytes."""
    if isinstance(value, (list, tuple)):
        return [_readable(each) for each in islice(value, MAX_ITEMS)]
    return bytes(value).decode("utf-8", "replace") if isinstance(value, _BYTES) else value


def _recorded(values: list[Any], *, as_list: bool) -> Any:
    """The value of an attribute, from those of all entries with its name."""
    if len(values) == 1 and not as_list:
        return values[0]
    return [each for value in values for each in (value if isinstance(value, list) else (value,))]
