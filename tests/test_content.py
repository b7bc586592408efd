"""Attributes marked as content: not recorded by default; otherwise recorded in full, truncated or hashed."""

import hashlib
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.config import environment
from opentelemetry.instrumentation.declarative.expressions.conversion import cut_content, hashed_content
from opentelemetry.instrumentation.declarative.language.content_policy import (
    FULL_CONTENT,
    NO_CONTENT,
    parse_content_policy,
)
from opentelemetry.instrumentation.declarative.plan.content import apply_content_policy
from opentelemetry.instrumentation.declarative.runtime.values.exception_record import record_exception

HOST = """
class Desk:
    def ask(self, question, parts=None):
        return "an answer"
"""

SPEC = """
hooks: {ask: {call: "HOST:Desk.ask"}}
spans:
  talk:
    around: ask
    attributes:
      plain: question
      said: {value: question, content: true}
      parts: {value: parts, content: true}
      heard: {value: result, content: true}
      lost: {value: question.nothing.further, content: true}
    events:
      answered: {at: ask.return, key: self, attributes: {answer: {value: result, content: true}}}
    key: self
"""

ALLOWED = ("SPAN_ONLY", "SPAN_AND_EVENT")
RECORDED: dict[str, tuple[Callable[[str], str], str]] = {
    "": (str, "whole"),
    "full": (str, "whole"),
    "FULL": (str, "whole"),
    "truncate:4": (lambda text: text[:4], "cut"),
    "truncate:999999999": (str, "whole"),
    "sha256": (lambda text: hashlib.sha256(text.encode()).hexdigest(), "hashed"),
}


@pytest.fixture
def traced(
    tracing, make_module, instrumented, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str | None, str | None], Any]:
    """The span of one call, with these environment variables."""

    def run(allowed: str | None, how: str | None) -> Any:
        for name, value in ((environment.CAPTURE_CONTENT, allowed), (environment.OTEL_PYTHON_DECLARATIVE_CONTENT, how)):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        module = make_module(HOST)
        with instrumented(SPEC, module):
            module.Desk().ask("a question", [{"text": "ä"}])
        return tracing.span

    return run


@pytest.mark.parametrize("allowed", [None, "", "NO_CONTENT", "EVENT_ONLY"])
@pytest.mark.parametrize("how", [None, "full", "sha256"])
def test_content_is_not_recorded_by_default(traced, allowed: str | None, how: str | None):
    span = traced(allowed, how)
    assert dict(span.attributes) == {"plain": "a question"}
    assert [dict(event.attributes) for event in span.events] == [{}]


@pytest.mark.parametrize("allowed", ALLOWED)
@pytest.mark.parametrize("how", RECORDED)
def test_one_switch_determines_how_all_content_is_recorded(traced, allowed: str, how: str):
    span = traced(allowed, how)
    shape, _ = RECORDED[how]
    assert dict(span.attributes) == {
        "plain": "a question",
        "said": shape("a question"),
        "parts": shape('[{"text": "ä"}]'),
        "heard": shape("an answer"),
    }
    assert [dict(event.attributes) for event in span.events] == [{"answer": shape("an answer")}]


@pytest.mark.parametrize("how", ["off", "truncate", "truncate:", "truncate:0", "truncate:-1", "truncate: 4", "md5"])
def test_an_unknown_policy_is_reported_once_and_no_content_is_recorded(traced, logged, how: str):
    assert dict(traced("SPAN_ONLY", how).attributes) == {"plain": "a question"}
    assert logged() == [
        f"OTEL_PYTHON_DECLARATIVE_CONTENT={how} is not a valid setting: no content is recorded. "
        "Use full, truncate:200 or sha256."
    ]


def test_content_recorded_in_full_is_read_like_any_attribute():
    expression: Any = object()
    assert apply_content_policy(FULL_CONTENT, expression) is expression
    assert parse_content_policy("full") is FULL_CONTENT
    assert apply_content_policy(NO_CONTENT, expression) is None


def test_a_function_of_the_spec_does_not_replace_the_truncation(
    tracing, make_module, instrumented, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(environment.CAPTURE_CONTENT, "SPAN_ONLY")
    monkeypatch.setenv(environment.OTEL_PYTHON_DECLARATIVE_CONTENT, "truncate:1")
    module = make_module(HOST + "def all_of_it(value, *more):\n    return value\n")
    functions = "functions: {truncate: 'HOST:all_of_it', cut_content: 'HOST:all_of_it', sha256: 'HOST:all_of_it'}\n"
    with instrumented(functions + SPEC.lstrip("\n"), module):
        module.Desk().ask("a question")
    assert tracing.span.attributes["said"] == "a"


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("häs", "häs"),
        (5, "5"),
        (2.5, "2.5"),
        (True, "True"),
        (Colour.RED, "red"),
        (b"bytes", "bytes"),
        ("a\ud800", "a?"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        (("a", "b"), '["a", "b"]'),
    ],
)
def test_the_text_truncated_or_hashed_is_the_one_that_would_be_recorded(value, text: str):
    assert cut_content(value, 100) == text
    assert cut_content(value, 2) == text[:2]
    assert hashed_content(value) == hashlib.sha256(text.encode()).hexdigest()


def test_content_that_is_missing_stays_missing():
    assert cut_content(None, 5) is None
    assert hashed_content(None) is None


def test_content_whose_text_cannot_be_read_is_neither_recorded_nor_raises():
    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert cut_content(Broken(), 10) == "<Broken th"
    assert len(str(hashed_content([Broken()]))) == 64
    assert json.loads(str(cut_content([Broken()], 100))) == ["<Broken that cannot be shown>"]


# ── Exceptions and the descriptions of errors ──

SECRET = "4111-1111"

FAILING = """
class Declined(Exception):
    pass

class Till:
    def pay(self, card):
        try:
            try:
                int(card)
            except ValueError as problem:
                raise LookupError(card) from problem
        except LookupError:
            raise Declined(f"declined: {card}")

    def quietly(self, card):
        try:
            return self.pay(card)
        except Declined as problem:
            return problem

    def in_group(self, card):
        raise ExceptionGroup(card, [ValueError(card), ExceptionGroup(card, [Declined(card)])])
"""


@pytest.fixture
def failed(tracing, make_module, instrumented, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The span of one call of ``Till`` that fails, for the keys of its span."""

    def run(keys: str, how: str | None = None, method: str = "pay") -> Any:
        monkeypatch.delenv(environment.CAPTURE_CONTENT, raising=False)
        if how is not None:
            monkeypatch.setenv(environment.CAPTURE_CONTENT, "SPAN_ONLY")
            monkeypatch.setenv(environment.OTEL_PYTHON_DECLARATIVE_CONTENT, how)
        module = make_module(FAILING)
        spec = f"hooks: {{pay: {{call: 'HOST:Till.{method}'}}}}\nspans: {{pay: {{around: pay, {keys}}}}}"
        with instrumented(spec, module), suppress(Exception):
            getattr(module.Till(), method)(SECRET)
        return tracing.span

    return run


def everything(span: Any) -> str:
    return str(span.to_json())


CONTENT = "exception: {content: true}"


def test_without_content_an_exception_is_recorded_with_its_type_and_frames_only(failed):
    span = failed(CONTENT)
    assert SECRET not in everything(span)
    assert span.status.description == "Declined"
    (event,) = span.events
    attributes = dict(event.attributes)
    module = attributes["exception.type"].removesuffix(".Declined")
    assert list(attributes) == ["exception.type", "exception.stacktrace", "exception.escaped"]
    lines = [
        line.partition(", line")[0].partition(" File")[0] for line in attributes["exception.stacktrace"].splitlines()
    ]
    assert [line for line in lines if line.strip()] == [
        f"{module}.Declined",
        "While handling: LookupError",
        "Caused by: ValueError",
    ]
    assert "line 13, in pay\n" in attributes["exception.stacktrace"]


def test_an_exception_with_content_is_recorded_in_full_if_content_is(failed):
    span = failed(CONTENT, "full")
    assert span.status.description == f"Declined: declined: {SECRET}"
    assert dict(span.events[0].attributes)["exception.message"] == f"declined: {SECRET}"
    assert everything(span).count(SECRET) > 3


@pytest.mark.parametrize(
    ("how", "message"), [("truncate:4", "decl"), ("sha256", hashlib.sha256(f"declined: {SECRET}".encode()).hexdigest())]
)
def test_the_text_of_an_exception_is_truncated_or_hashed_like_any_content(failed, how: str, message: str):
    span = failed(CONTENT, how)
    assert SECRET not in everything(span)
    assert span.status.description == f"Declined: {message}"
    assert dict(span.events[0].attributes)["exception.message"] == message


@pytest.mark.parametrize(
    "attributes",
    [
        "attributes: {card: {value: card, content: true}}",
        "key: self, events: {paid: {at: 'pay.enter', attributes: {card: {value: card, content: true}}}}",
    ],
)
def test_exceptions_are_content_by_default_on_a_span_with_content(failed, attributes: str):
    assert SECRET not in everything(failed(attributes))


def test_exceptions_are_content_on_every_span_of_a_spec_with_content(
    tracing, make_module, instrumented, monkeypatch: pytest.MonkeyPatch
):
    """The same exception passes through the spans of several calls."""
    monkeypatch.delenv(environment.CAPTURE_CONTENT, raising=False)
    module = make_module(FAILING)
    spec = """
    spans:
      outer: {around: "HOST:Till.quietly", status: {error: str(result)}}
      pay: {around: "HOST:Till.pay"}
      other: {around: "HOST:Till.in_group", attributes: {card: {value: card, content: true}}}
    """
    with instrumented(spec, module):
        module.Till().quietly(SECRET)
    assert tracing.names == ["pay", "outer"]
    assert not [span.name for span in tracing.spans if SECRET in everything(span)]


def test_exceptions_can_be_excepted_from_content(failed):
    span = failed("attributes: {card: {value: card, content: true}}, exception: {content: false}")
    assert span.status.description == f"Declined: declined: {SECRET}"


def test_exceptions_of_a_span_without_content_are_recorded_in_full(failed):
    assert failed("attributes: {card: len(card)}").status.description == f"Declined: declined: {SECRET}"


@pytest.mark.parametrize(
    ("keys", "description"),
    [
        ("exception: {value: result, content: true}", "Declined"),
        ("exception: {value: result, content: true}, status: {error: str(result)}", "Declined"),
        ("status: {error: str(result), content: true}", None),
        ("exception: {content: true}, status: [{when: result is None, unset: true}, {error: str(result)}]", None),
        ("exception: {content: true}, status: {error: 'True if result else None'}", None),
        ("exception: {content: true}, status: {error: '\"declined\" if result else None'}", "declined"),
        ("exception: {content: true}, status: {error: type_name(result), content: false}", "Declined"),
    ],
)
def test_the_description_of_an_error_follows_the_content_setting(failed, keys: str, description: str | None):
    span = failed(keys, method="quietly")
    assert SECRET not in everything(span)
    assert (span.status.status_code.name, span.status.description) == ("ERROR", description)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no exception groups")
def test_the_members_of_a_group_are_recorded_without_their_texts(failed):
    span = failed(CONTENT, method="in_group")
    assert SECRET not in everything(span)
    stacktrace = dict(span.events[0].attributes)["exception.stacktrace"]
    found = [line.rpartition(".")[2] for line in stacktrace.splitlines() if not line.startswith("  ")]
    assert found == ["ExceptionGroup", "Contains: ValueError", "Contains: ExceptionGroup", "Declined"]


def test_an_endless_chain_of_exceptions_is_cut(tracing):
    first, second = ValueError(SECRET), KeyError(SECRET)
    first.__cause__, second.__cause__ = second, first
    span = tracing.provider.get_tracer("t").start_span("s")
    record_exception(span, first, NO_CONTENT)
    span.end()
    assert dict(tracing.span.events[0].attributes)["exception.stacktrace"] == "ValueError\nCaused by: KeyError\n"


def test_the_log_message_of_a_failed_rule_does_not_contain_content(
    tracing, make_module, instrumented, monkeypatch: pytest.MonkeyPatch, logged
):
    monkeypatch.delenv(environment.CAPTURE_CONTENT, raising=False)
    module = make_module(HOST)
    spec = SPEC.replace("plain: question", "plain: int(question)")
    with instrumented(spec, module):
        module.Desk().ask(SECRET)
    (message,) = logged()
    assert SECRET not in message
    assert "failed: ValueError: (the message is not shown, because it can contain content)" in message
