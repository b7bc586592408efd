"""Other spellings of names, callables and versions, and how they are written in a spec."""

from __future__ import annotations

import re
from collections.abc import Callable

_VERSION = r"v?(\d+(?:\.\d+)*)"
_LAST = "[<>=]"
_OPERATORS = r"(===|~=|==|!=|<=|>=|<|>)"


def quoted_value(text: str) -> str:
    """Text in quotes of YAML."""
    return "'{}'".format(text.replace("'", "''")) if '"' in text or "\\" in text else f'"{text}"'


def snake_case(text: str) -> str | None:
    """The name that was probably intended."""
    if ":" in text:
        return None
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()).strip("_")


def name_of(value: object) -> str:
    """A name for an entry, from the callable or hook in it."""
    last = re.split(r"[.:]", value)[-1] if isinstance(value, str) else ""
    name = snake_case(last) or ""
    return name if name[:1].isalpha() else "name"


def target_of(text: str) -> str | None:
    """A callable that is written in another way: with a dot or a path, as a call, with several colons."""
    text = re.sub(r"\s*\([^()]*\)\s*$", "", text.strip())
    text = re.sub(r"^from\s+([\w.]+)\s+import\s+(\w+)$", r"\1:\2", text)
    text = re.sub(r"\s*(::|->|[:#])\s*", ":", text)
    text = re.sub(r"\s*\.\s*", ".", text)
    text = re.sub(r"\.(<local>|<locals>\(\)|locals\(\)|locals)\.", ".<locals>.", text)
    text = text.removeprefix("@").removeprefix("./").replace("/", ".").replace("\\", ".")
    module, colon, path = text.partition(":")
    if colon:
        return f"{module.removesuffix('.py')}:{path.replace(':', '.')}"
    parts = text.removesuffix(".py").split(".")
    if "py" in parts[:-1]:
        parts.remove("py")
    first = next((i for i, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    return ".".join(parts[:first]) + ":" + ".".join(parts[first:])


def without_name(text: str) -> str | None:
    """Help for a callable that has no name, no module, or no package that is written in full."""
    if text.startswith("*"):
        return f"write the first package in full, as in shop.{text}"
    if re.fullmatch(r"[A-Z]\w*\.\w+", text):
        return f"write the module before it, as in shop.cart:{text}"
    if "<lambda>" not in text:
        return None
    return "a lambda cannot be named: define the function with def, or hook the call that it is passed to"


#: How other tools write releases, and the PEP 440 version specifier for the same.
_VERSIONS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (rf"\^\s*{_VERSION}", lambda found: f">={found[1]},<{_next(found[1])}"),
    (rf"~>?\s*{_VERSION}", lambda found: f"~={found[1] if '.' in found[1] else found[1] + '.0'}"),
    (rf"{_VERSION}\.[xX*](\.[xX*])*", lambda found: f"=={found[1]}.*"),
    (rf"=\s*{_VERSION}", lambda found: f"=={found[1]}"),
    (rf"!\s*{_VERSION}", lambda found: f"!={found[1]}"),
    (rf"(?:above|after|newer than)\s*{_VERSION}", lambda found: f">{found[1]}"),
    (rf"(?:from|since|at least)\s*{_VERSION}", lambda found: f">={found[1]}"),
    (rf"(?:below|before|older than|until)\s*{_VERSION}", lambda found: f"<{found[1]}"),
    (
        rf"([\[(])\s*{_VERSION}\s*,\s*{_VERSION}\s*([\])])",
        lambda found: f">{'=' * (found[1] == '[')}{found[2]},<{'=' * (found[4] == ']')}{found[3]}",
    ),
    (
        rf"{_VERSION}\s*(<=?)\s*\w+\s*(<=?)\s*{_VERSION}",
        lambda found: f">{found[2][1:]}{found[1]},{found[3]}{found[4]}",
    ),
    (rf"{_VERSION}\s*(\+|and (newer|later|up)|or (newer|later|above))", lambda found: f">={found[1]}"),
    (rf"{_VERSION}\s*(?:\.\.+|-|to|–)\s*{_VERSION}", lambda found: f">={found[1]},<={found[2]}"),
    (r"latest|any|all|\*", lambda _: ">=0"),
    (_VERSION, lambda found: f"=={found[1]}"),
)


def specifier_of(text: str) -> str | None:
    """The version specifier that was probably intended."""
    text = text.strip().strip("\"'")
    for pattern, specifier in _VERSIONS:
        if (found := re.fullmatch(pattern, text)) is not None:
            return specifier(found)
    for wrong, right in (("=>", ">="), ("=<", "<="), ("≥", ">="), ("≤", "<=")):
        text = text.replace(wrong, right)
    text = re.sub(r"(?<![<>=!~])=(?!=)", "==", text)
    text = re.sub(rf"\s*(?:,|;|&&|\band\b|\s)\s*(?={_OPERATORS})", ",", text)
    return re.sub(rf"(?<={_LAST})\s+", "", text)


def _next(version: str) -> str:
    """The first version that a caret excludes: the next one in the first part that is not zero."""
    parts = [int(part) for part in version.split(".")]
    index = next((index for index, part in enumerate(parts) if part), len(parts) - 1)
    return ".".join(map(str, [*parts[:index], parts[index] + 1]))
