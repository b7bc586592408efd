"""The methods and built-in functions of Python that are tried most often, and what to write instead."""

from __future__ import annotations

INSTEAD_OF_METHODS = {
    "endswith": "write ends_with(text, ending)",
    "format": 'write f"{value}" with the value in braces',
    "get": "write value.key or value[key]: a missing value is None",
    "isoformat": "write str(value)",
    "items": "write keys(mapping), and mapping[key] for a value",
    "join": "write join(items, separator)",
    "keys": "write keys(mapping)",
    "lower": "write lower(text)",
    "match": 'write match(text, r"^pattern")',
    "replace": 'write replace(text, r"pattern", "replacement")',
    "search": 'write match(text, r"pattern")',
    "split": "write split(text, separator)",
    "startswith": "write starts_with(text, beginning)",
    "strip": "write strip(text)",
    "sub": 'write replace(text, r"pattern", "replacement")',
    "time": "write now(), in nanoseconds, or clock(), in seconds",
    "title": "write title(text)",
    "upper": "write upper(text)",
    "values": "write [mapping[key] for key in mapping]",
}
INSTEAD_OF_FUNCTIONS = {
    "getattr": "write value.name: a missing value is None",
    "hasattr": "write value.name is not None",
    "isinstance": 'write is_a(value, "Name")',
    "repr": "write str(value)",
    "type": "write type_name(value)",
}
