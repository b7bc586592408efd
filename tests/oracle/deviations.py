"""Deliberate deviations from AG2's own tracing: one rewrite for each row of the table in docs/deviations.md.

A rewrite changes spans of native tracing into those expected of the shipped spec, and nothing else. It receives the
name of the scenario. If native tracing omits something, our spans are reduced to what it records instead; they are
compared in full with the golden form (test_golden.py).

Native tracing is compared with the shipped spec under the overlay `ag2_native_form`. What the overlay undoes is a
deviation of form: its rewrite changes spans of the shipped spec into those with the overlay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet

from . import form
from .api import RELEASE
from .compare import IDENTIFYING, NormalSpan
from .rewrites import Rewrite, all_spans


@dataclass(frozen=True)
class Deviation:
    """One row: the releases it applies to, and the rewrite of native tracing, of ours or of the golden form."""

    releases: str = "all"
    form: Rewrite | None = None
    """The rewrite of our spans into the native form, which `ag2_native_form` has as well."""
    native: Rewrite | None = None
    ours: Rewrite | None = None
    without_content: Rewrite | None = None
    """The rewrite of native tracing of a run in which content is not recorded."""
    golden: Callable[[str, str], str] | None = None
    """Receives the name of the scenario and the text of its golden form."""
    test: str = ""
    """The test of a deviation that no scenario can show, as ``file.py::name`` below tests/."""

    @property
    def holds(self) -> bool:
        """Whether the row applies to the installed release."""
        return self.releases == "all" or RELEASE in SpecifierSet(self.releases)


_BINARY = re.compile(r"\[binary:[^]]*\]")
_SUBTASK = re.compile(r"record_usage subtask\n.*?status ", re.DOTALL)
_MODEL = re.compile(r"^.*gen_ai\.(?:provider\.name|response\.model) = .*\n", re.MULTILINE)
_WITH_LEFTOVER_CONTEXT = {("agent_registered_inside_a_tool", "envelope"), ("registered_inside_an_ask", "envelope")}
_GENERATED_REASONS = ("cancelled", "channel_closed", "expired", "failed", "mirror_failed", "ttl_expired")


def _scope_version(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        name, version, *more = span.scope
        if name == "opentelemetry.instrumentation.ag2" and version is None:
            span.scope = (name, "VERSION", *more)


def _exception_once(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        if span.type in ("agent", "llm", "tool", "human_input") and span.status[0] == "ERROR":
            exceptions = [event for event in span.events if event[0] == "exception"]
            if len(exceptions) == 2 and exceptions[0] == exceptions[1]:
                span.events.remove(exceptions[0])


def _envelope_not_logged(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        if span.type == "envelope" and not span.ended:
            span.ended = True
            span.events.append(_exception("OSError", "no space left"))
            span.status = ("ERROR", "no space left")


def _ended(by: str, *scenarios: str) -> Rewrite:
    def rewrite(scenario: str, trees: list[NormalSpan]) -> None:
        for span in all_spans(trees):
            if scenario in scenarios and span.type in ("channel", "agent_lifetime") and not span.ended:
                span.ended = True
                span.attributes["instrument.end"] = by

    return rewrite


def _without_content_in_exceptions(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        exception = next((attributes for name, attributes in span.events if name == "exception"), None)
        code, description = span.status
        if exception is not None and code == "ERROR":
            span.status = (code, str(exception["exception.type"]).rpartition(".")[2])
        elif span.type == "task" and code == "ERROR" and description not in _GENERATED_REASONS:
            span.status = (code, None)
        for name, attributes in span.events:
            if name in ("closed", "expired") and " " in str(attributes["reason"]):
                del attributes["reason"]
            attributes.pop("exception.message", None)
            attributes.pop("ag2.error.message", None)


def _own_traces(scenario: str, trees: list[NormalSpan]) -> None:
    """Make channels, lifetimes and tasks roots, with a link to their former parent."""
    moved: dict[str, str] = {}

    def separate(parent: NormalSpan, parent_path: str) -> None:
        for child in list(parent.children):
            path = f"{parent_path} / {_path_element(child)}"
            if child.type in ("channel", "agent_lifetime", "task"):
                parent.children.remove(child)
                child.parent = "none"
                child.links.append((parent_path, {"ag2.link.kind": "triggered_by"}))
                trees.append(child)
                moved[path] = _path_element(child)
                path = _path_element(child)
            separate(child, path)

    for tree in list(trees):
        separate(tree, _path_element(tree))
    for span in all_spans(trees):
        span.links = [(_moved_path(target, moved), attributes) for target, attributes in span.links]


def _path_element(span: NormalSpan) -> str:
    """The element of a span in the paths of links."""
    tags = " ".join(str(span.attributes[key]) for key in IDENTIFYING if span.attributes.get(key))
    return span.name + (f" [{tags}]" if tags else "")


def _moved_path(target: str, moved: dict[str, str]) -> str:
    for old, new in moved.items():
        if target == old or target.startswith(f"{old} / "):
            return new + target[len(old) :]
    return target


def _without_restored(scenario: str, trees: list[NormalSpan]) -> None:
    trees[:] = [tree for tree in trees if not tree.attributes.get("ag2.network.restored")]
    for span in all_spans(trees):
        # The path of its link equals that of the channel before the restart; of the envelopes, only those after the
        # restart have an audience.
        if scenario == "hub_restarted" and "ag2.network.audience" in span.attributes:
            span.links = [link for link in span.links if link[1]["ag2.link.kind"] != "in_channel"]


def _closed_by_no_one(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        for name, attributes in span.events:
            reason = str(attributes.get("reason", ""))
            if span.type == "channel" and name == "closed" and reason.startswith(("invite_", "expectation_violated")):
                span.status = ("ERROR", reason)


def _without_links_to_ended_spans(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        if (scenario, span.type) in _WITH_LEFTOVER_CONTEXT and "ag2.network.causation_id" in span.attributes:
            span.links = [link for link in span.links if link[1]["ag2.link.kind"] != "triggered_by"]


def _without_links_to_the_turn(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        if span.type == "envelope" and "ag2.network.causation_id" in span.attributes:
            span.links = [link for link in span.links if not link[0].rpartition(" / ")[2].startswith("invoke_agent ")]


def _without_late_usage(scenario: str, trees: list[NormalSpan]) -> None:
    if scenario == "usage_after_the_end":
        _without_usage_spans(scenario, trees)


def _without_usage_spans(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        span.children = [child for child in span.children if child.type != "usage"]


def _without_tool_results(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        for key in ("gen_ai.tool.call.result", "ag2.tool.call.result.truncated"):
            span.attributes.pop(key, None)


def _texts_of_the_user_and_the_model(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        if form.INPUT in span.attributes:
            messages = json.loads(span.attributes[form.INPUT])
            texts = [
                each for each in messages if each["role"] == "user" and not each["content"].startswith(form.SUMMARY)
            ]
            span.attributes[form.INPUT] = json.dumps(texts)
        if form.OUTPUT in span.attributes and json.loads(span.attributes[form.OUTPUT])[0]["content"] is None:
            del span.attributes[form.OUTPUT]


def _no_text_for_binary_parts(scenario: str, trees: list[NormalSpan]) -> None:
    for span in all_spans(trees):
        for key in ("gen_ai.tool.call.result", form.INPUT):
            if key in span.attributes:
                span.attributes[key] = _BINARY.sub("", span.attributes[key])


def _subtasks_without_model(scenario: str, text: str) -> str:
    return _SUBTASK.sub(lambda found: _MODEL.sub("", found[0]), text)


def _no_deadline(scenario: str, text: str) -> str:
    if scenario != "tasks_of_a_turn":
        return text
    first, *blocks = text.removesuffix("\n").split("\n\n")
    for index, block in enumerate(blocks):
        if block.startswith("network.task sleep\n"):
            blocks[index] = block.replace("'expired'", "'completed'").replace("ERROR 'ttl_expired'", "OK None")
            blocks[index] = blocks[index].replace("    error.type = 'ttl_expired'\n", "")
    return "\n\n".join([first, *sorted(blocks)]) + "\n"


def _other_refusal(scenario: str, text: str) -> str:
    return text.replace(
        "channel '<channel:1>' only accepts sends from participants, got '<agent:cid>'",
        "consulting channel '<channel:1>' expects first send from initiator '<agent:ann>', got '<agent:cid>'",
    )


def _other_package(scenario: str, text: str) -> str:
    return text.replace("ag2.exceptions.", "autogen.beta.exceptions.")


DEVIATIONS: dict[str, Deviation] = {
    "schema-url": Deviation(form=form.schema_url),
    "conversation": Deviation(form=form.without(*form.CONVERSATION)),
    "agent-of-each-span": Deviation(form=form.without_agents),
    "turn-identity": Deviation(form=form.without_turn_identity),
    "names": Deviation(form=form.without_names),
    "error-type": Deviation(form=form.without(*form.ERROR_TYPE)),
    "turn-failures": Deviation(form=form.without_turn_failures),
    "tokens-once": Deviation(form=form.tokens_twice),
    "token-names": Deviation(form=form.without(*form.TOKEN_NAMES)),
    "message-parts": Deviation(form=form.messages_without_parts),
    "system-instructions": Deviation(form=form.without("gen_ai.system_instructions")),
    "model-of-turn": Deviation(form=form.without_model_of_turn),
    "requested-model": Deviation(test="oracle/test_details.py::test_a_model_call_that_fails_names_the_requested_model"),
    "server": Deviation(test="oracle/test_details.py::test_a_model_call_names_its_server"),
    "viewers": Deviation(form=form.without(*form.VIEWERS)),
    "running-tasks": Deviation(
        test="oracle/test_details.py::test_a_task_is_an_open_span_while_it_runs_and_after_a_restart_of_its_hub"
    ),
    "forward-links": Deviation(form=form.without_forward_links),
    "unknown-tool": Deviation(form=form.without_unknown_tools),
    "recipient-away": Deviation(form=form.without_recipients_away),
    "scope-version": Deviation(native=_scope_version),
    "exception-once": Deviation(native=_exception_once),
    "envelope-not-logged": Deviation(native=_envelope_not_logged),
    "hub-closed": Deviation(native=_ended("hub_closed", "hub_closed_with_everything_open", "hub_restarted")),
    "shutdown": Deviation(native=_ended("shutdown", "program_that_stops")),
    "hung-up": Deviation(native=_ended("hung_up", "human_who_hangs_up")),
    "restored": Deviation(ours=_without_restored),
    "own-trace": Deviation(native=_own_traces),
    "content-in-exceptions": Deviation(without_content=_without_content_in_exceptions),
    "closed-by-no-one": Deviation(native=_closed_by_no_one),
    "left-over-context": Deviation(native=_without_links_to_ended_spans),
    "reply": Deviation(ours=_without_links_to_the_turn),
    "late-usage": Deviation(">=1.0.3", ours=_without_late_usage),
    "remote-sender": Deviation(
        test="test_two_processes.py::test_an_envelope_is_triggered_by_the_tool_that_sends_it_in_another_process"
    ),
    "remote-failure": Deviation(
        test="test_two_processes.py::test_the_error_type_of_a_turn_in_the_client_process_is_kept_in_the_hub_process"
    ),
    "recipient-lost": Deviation(
        test="oracle/test_recipient_lost.py::test_a_recipient_that_disconnects_during_delivery_is_recorded_on_the_envelope"
    ),
    "propagators": Deviation(test="test_propagators.py::test_a_turn_is_a_child_of_its_envelope_which_carries_w3c"),
    "failing-store": Deviation(
        test="test_spans_file.py::test_a_store_that_raises_does_not_affect_the_application_and_is_reported_once"
    ),
    "bounded-file": Deviation(test="test_spans_file.py::test_a_file_never_becomes_larger_than_its_bound"),
    "end-before-start": Deviation(test="test_spans.py::test_a_span_does_not_end_before_it_starts"),
    "usage-spans": Deviation("<1.0.3", ours=_without_usage_spans),
    "tool-result-whole": Deviation("<1.0.4", native=_without_tool_results, ours=_without_tool_results),
    "messages-whole": Deviation("<1.0.5", ours=_texts_of_the_user_and_the_model),
    "binary-result": Deviation(">=1.0.4,<1.1.2", native=_no_text_for_binary_parts),
    "subtask-model": Deviation("<1.0.4", golden=_subtasks_without_model),
    "task-deadline": Deviation("<1.0", golden=_no_deadline),
    "refusal-text": Deviation("<1.1.2", golden=_other_refusal),
    "package-name": Deviation("<1.0", golden=_other_package),
}


def _exception(kind: str, message: str) -> tuple[str, dict[str, object]]:
    return "exception", {
        "exception.type": kind,
        "exception.message": message,
        "exception.escaped": "False",
    }
