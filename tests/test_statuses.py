"""The status of a span: from one rule, or the first of several that applies."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.trace import StatusCode

HOST = """
class Reply:
    def __init__(self, code): self.code = code
class Client:
    def get(self, code):
        if isinstance(code, BaseException): raise code
        return Reply(code)
"""

SPEC = """
hooks: {get: {call: "HOST:Client.get"}}
spans:
  get:
    around: get
    status:
      - {when: result.code == 404, unset: true}
      - {when: 'is_a(error, "KeyError")', unset: true}
      - {error: 'f"status {result.code}" if result.code >= 400 else None'}
      - {when: result.code == 204, ok: "False"}
      - {ok: "True"}
"""


@pytest.mark.parametrize(
    ("code", "status", "description"),
    [
        (200, StatusCode.OK, None),
        (204, StatusCode.OK, None),
        (404, StatusCode.UNSET, None),
        (500, StatusCode.ERROR, "status 500"),
        (ValueError("no"), StatusCode.ERROR, "ValueError: no"),
        (KeyError("gone"), StatusCode.UNSET, None),
    ],
)
def test_of_several_statuses_the_first_that_applies_and_has_a_value_is_set(
    tracing: Any, make_module: Any, instrumented: Any, code: Any, status: StatusCode, description: str | None
):
    module = make_module(HOST)
    with instrumented(SPEC, module):
        if isinstance(code, Exception):
            with pytest.raises(type(code)):
                module.Client().get(code)
        else:
            module.Client().get(code)
    assert (tracing.span.status.status_code, tracing.span.status.description) == (status, description)


def test_a_call_that_has_raised_is_never_ok(tracing: Any, make_module: Any, instrumented: Any):
    module = make_module(HOST)
    spec = 'spans: {get: {around: "HOST:Client.get", status: [{ok: "True"}, {error: \'"late"\'}]}}'
    with instrumented(spec, module), pytest.raises(ValueError, match="no"):
        module.Client().get(ValueError("no"))
    assert tracing.span.status.description == "late"
    with instrumented(spec, module):
        module.Client().get(1)
    assert tracing.spans[-1].status.status_code is StatusCode.OK


def test_an_exception_is_recorded_even_if_the_status_stays_unset(tracing: Any, make_module: Any, instrumented: Any):
    module = make_module(HOST)
    with instrumented('spans: {get: {around: "HOST:Client.get", status: {unset: true}}}', module):
        with pytest.raises(KeyError):
            module.Client().get(KeyError("gone"))
    assert tracing.span.status.status_code is StatusCode.UNSET
    assert [event.name for event in tracing.span.events] == ["exception"]
