"""Where ours differs from AG2's own tracing on purpose: one rewrite for each row of the table.

The table is docs/deviations.md. A rewrite turns what native records into what ours is expected to record, and nothing
else; it is given the name of the scenario, because a span that was cancelled looks like one that has just ended. Where
the native tracing of an older release leaves something out, nothing can be made of it: there ours is reduced to what
that release records, and the whole of ours is compared with the golden form (test_golden.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet

from .api import RELEASE
from .compare import NormalSpan

Rewrite = Callable[[str, list[NormalSpan]], None]


@dataclass(frozen=True)
class Deviation:
    """One row: the releases that it is about, and what is changed to make native, ours and the golden form equal."""

    releases: str = "all"
    native: Rewrite | None = None
    ours: Rewrite | None = None
    golden: Callable[[str, str], str] | None = None
    """Given the name of the scenario and the text of its golden form."""

    @property
    def holds(self) -> bool:
        """Whether the row is about the installed release."""
        return self.releases == "all" or RELEASE in SpecifierSet(self.releases)


_INPUT, _OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
_SUMMARY = "[Summary of earlier conversation]"
_BINARY = re.compile(r"\[binary:[^]]*\]")
_SUBTASK = re.compile(r"record_usage subtask\n.*?status ", re.DOTALL)
_MODEL = re.compile(r"^.*gen_ai\.(?:provider\.name|response\.model) = .*\n", re.MULTILINE)
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


def _ended(by: str, in_scenario: str) -> Rewrite:
    def rewrite(scenario: str, trees: list[NormalSpan]) -> None:
        for span in _spans(trees):
            if scenario == in_scenario and span.type in ("channel", "agent_lifetime") and not span.ended:
                span.ended = True
                span.attributes["instrument.end"] = by

    return rewrite


def _without_usage_spans(scenario: str, trees: list[NormalSpan]) -> None:
    for span in _spans(trees):
        span.children = [child for child in span.children if child.type != "usage"]


def _without_tool_results(scenario: str, trees: list[NormalSpan]) -> None:
    for span in _spans(trees):
        for key in ("gen_ai.tool.call.result", "ag2.tool.call.result.truncated"):
            span.attributes.pop(key, None)


def _texts_of_the_user_and_the_model(scenario: str, trees: list[NormalSpan]) -> None:
    for span in _spans(trees):
        if _INPUT in span.attributes:
            messages = json.loads(span.attributes[_INPUT])
            texts = [one for one in messages if one["role"] == "user" and not one["content"].startswith(_SUMMARY)]
            span.attributes[_INPUT] = json.dumps(texts)
        if _OUTPUT in span.attributes and json.loads(span.attributes[_OUTPUT])[0]["content"] is None:
            del span.attributes[_OUTPUT]


def _no_text_for_binary_parts(scenario: str, trees: list[NormalSpan]) -> None:
    for span in _spans(trees):
        for key in ("gen_ai.tool.call.result", _INPUT):
            if key in span.attributes:
                span.attributes[key] = _BINARY.sub("", span.attributes[key])


def _subtasks_without_model(scenario: str, text: str) -> str:
    return _SUBTASK.sub(lambda found: _MODEL.sub("", found[0]), text)


def _other_refusal(scenario: str, text: str) -> str:
    return text.replace(
        "channel '<channel:1>' only accepts sends from participants, got '<agent:cid>'",
        "consulting channel '<channel:1>' expects first send from initiator '<agent:ann>', got '<agent:cid>'",
    )


def _other_package(scenario: str, text: str) -> str:
    return text.replace("ag2.exceptions.", "autogen.beta.exceptions.")


DEVIATIONS: dict[str, Deviation] = {
    "exception-once": Deviation(native=_exception_once),
    "cancelled": Deviation(native=_cancelled),
    "envelope-not-logged": Deviation(native=_envelope_not_logged),
    "hub-closed": Deviation(native=_ended("hub_closed", "hub_closed_with_everything_open")),
    "shutdown": Deviation(native=_ended("shutdown", "program_that_stops")),
    "usage-spans": Deviation("<1.0.3", ours=_without_usage_spans),
    "tool-result-whole": Deviation("<1.0.4", native=_without_tool_results, ours=_without_tool_results),
    "messages-whole": Deviation("<1.0.5", ours=_texts_of_the_user_and_the_model),
    "binary-result": Deviation(">=1.0.4,<1.1.2", native=_no_text_for_binary_parts),
    "subtask-model": Deviation("<1.0.4", golden=_subtasks_without_model),
    "refusal-text": Deviation("<1.1.2", golden=_other_refusal),
    "package-name": Deviation("<1.0", golden=_other_package),
}


def _spans(trees: list[NormalSpan]) -> list[NormalSpan]:
    return [span for tree in trees for span in tree.walk()]


def _exception(kind: str, message: str) -> tuple[str, dict[str, object]]:
    return "exception", {
        "exception.type": kind,
        "exception.message": message,
        "exception.escaped": "False",
    }
