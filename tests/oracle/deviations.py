"""Where ours differs from AG2's own tracing on purpose: one rewrite of native's result for each row of the table.

The table is docs/deviations.md. A rewrite turns what native records into what ours is expected to record, and nothing
else; it is given the name of the scenario, because a span that was cancelled looks like one that has just ended.
"""

from __future__ import annotations

from collections.abc import Callable

from .compare import NormalSpan

Rewrite = Callable[[str, list[NormalSpan]], None]

_CANCELLED = {
    "cancelled_turn": {"chat", "invoke_agent patient"},
    "cancelled_tool": {"execute_tool dig", "invoke_agent digger"},
    "cancelled_dispatch": {"network.envelope ag2.msg.text"},
}


def _exception_once(scenario: str, trees: list[NormalSpan]) -> None:
    for span in _spans(trees):
        if span.type in ("agent", "llm", "tool", "human_input") and span.status[0] == "ERROR":
            exceptions = [event for event in span.events if event[0] == "exception"]
            if len(exceptions) == 2 and exceptions[0] == exceptions[1]:
                span.events.remove(exceptions[0])


def _cancelled(scenario: str, trees: list[NormalSpan]) -> None:
    for span in _spans(trees):
        if span.name in _CANCELLED.get(scenario, ()) and span.status[0] == "UNSET":
            span.events.append(_exception("asyncio.exceptions.CancelledError", ""))
            span.status = ("ERROR", "" if span.type == "envelope" else "CancelledError: ")


def _envelope_not_logged(scenario: str, trees: list[NormalSpan]) -> None:
    for span in _spans(trees):
        if span.type == "envelope" and not span.ended:
            span.ended = True
            span.events.append(_exception("OSError", "no space left"))
            span.status = ("ERROR", "no space left")


def _shutdown(scenario: str, trees: list[NormalSpan]) -> None:
    for span in _spans(trees):
        if span.type in ("channel", "agent_lifetime") and not span.ended:
            span.ended = True
            span.attributes["instrument.end"] = "shutdown"


DEVIATIONS: dict[str, Rewrite] = {
    "exception-once": _exception_once,
    "cancelled": _cancelled,
    "envelope-not-logged": _envelope_not_logged,
    "shutdown": _shutdown,
}


def _spans(trees: list[NormalSpan]) -> list[NormalSpan]:
    return [span for tree in trees for span in tree.walk()]


def _exception(kind: str, message: str) -> tuple[str, dict[str, object]]:
    return "exception", {
        "exception.type": kind,
        "exception.message": message,
        "exception.escaped": "False",
    }
