"""Attributes marked as content: not recorded by default; otherwise recorded in full, truncated or hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
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
    tracing: Any, make_module: Any, instrumented: Any, monkeypatch: pytest.MonkeyPatch
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
def test_content_is_not_recorded_by_default(traced: Any, allowed: str | None, how: str | None):
    span = traced(allowed, how)
    assert dict(span.attributes) == {"plain": "a question"}
    assert [dict(event.attributes) for event in span.events] == [{}]


@pytest.mark.parametrize("allowed", ALLOWED)
@pytest.mark.parametrize("how", RECORDED)
def test_one_switch_determines_how_all_content_is_recorded(traced: Any, allowed: str, how: str):
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
def test_an_unknown_policy_is_reported_once_and_no_content_is_recorded(traced: Any, logged: Any, how: str):
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
    tracing: Any, make_module: Any, instrumented: Any, monkeypatch: pytest.MonkeyPatch
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
def test_the_text_truncated_or_hashed_is_the_one_that_would_be_recorded(value: Any, text: str):
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
