"""The answer of a process to ``instrument status``, as text."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import counted, printable
from opentelemetry.instrumentation.declarative.exporters.tree_text import MAX_VALUE, shortened

#: Spans that are nested deeper are indented no further.
_MAX_INDENT = 12


def status_text(status: dict[str, Any], width: int = 110) -> str:
    """The open spans of a process with their ages, children below their parents, the oldest first.

    ``width``: that of the terminal, in columns.
    """
    taken = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(status["time"] / 1e9))
    lines = [f"{summary(status)} · {taken}"]
    if status["spans"]:
        rows = [(age_text(status["time"] - span["start"]), depth, span) for span, depth in _ordered(status["spans"])]
        column = max(len(age) for age, _, _ in rows)
        lines.append("")
        for age, depth, span in rows:
            indent = "  " * min(depth, _MAX_INDENT)
            lines.append(f"  {age:>{column}}  {indent}{printable(span['name'])}")
            margin = f"  {'':{column}}  {indent}  "
            for detail in _details(span, status["time"]):
                lines.extend(_wrapped(detail, margin, width))
    left_out = status["open"] - len(status["spans"])
    if left_out > 0:
        lines.append(f"\n{left_out:,} younger spans are not shown.")
    return "\n".join(lines) + "\n"


def summary(status: dict[str, Any]) -> str:
    """One line about a process."""
    return f"process {status['pid']} · {printable(status['program'])} · {counted(status['open'], 'open span')}"


def age_text(nanoseconds: int) -> str:
    """A duration in its two largest units."""
    seconds = max(nanoseconds, 0) / 1e9
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    for unit, size, smaller, its_size in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} {seconds % size // its_size:.0f} {smaller}"
    raise AssertionError(seconds)


def _ordered(spans: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int]]:
    """Each span with its depth: parents before their children, and the oldest first."""
    by_id = {(span["trace_id"], span["span_id"]): span for span in spans}
    children: dict[tuple[str, str] | None, list[dict[str, Any]]] = {}
    for span in spans:
        parent = (span["trace_id"], span["parent_id"]) if span["parent_id"] else None
        children.setdefault(parent if parent in by_id else None, []).append(span)
    stack = [(span, 0) for span in sorted(children.get(None, ()), key=_start, reverse=True)]
    while stack:
        span, depth = stack.pop()
        yield span, depth
        below = children.get((span["trace_id"], span["span_id"]), ())
        stack.extend((child, depth + 1) for child in sorted(below, key=_start, reverse=True))


def _start(span: dict[str, Any]) -> int:
    return int(span["start"])


def _details(span: dict[str, Any], now: int) -> Iterator[str]:
    if span["attributes"]:
        yield " ".join(f"{printable(key)}={_value(value)}" for key, value in span["attributes"].items())
    event = span["latest_event"]
    if event is not None:
        yield f"• {printable(event['name'])} {age_text(now - event['time'])} ago"


def _wrapped(text: str, margin: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, len(margin) + 40),
        initial_indent=margin,
        subsequent_indent=margin + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = printable(shortened(text, MAX_VALUE))
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) and (not text or " " in text) else text
