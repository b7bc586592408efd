"""Callables that this package itself calls can be hooked: our own calls are not recorded, and nothing recurses."""

import contextvars
import json
import logging
import os
import random
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from typing import Any

import pytest

#: One rule of each kind that needs no more than a call.
SPEC = """\
hooks:
  call: {{call: "{target}", follow_result: true, names: {{started: clock()}}}}
context:
  during: {{during: call, value: clock()}}
spans:
  call:
    around: call
    name: "call {{hooked.name}}"
    attributes: {{text: str(result), json: json(result), hash: sha256(str(result))}}
  between: {{key: {{value: started, max_open: 3}}, start: call.enter, end: call.exit}}
enrich:
  current:
    events: {{event: {{at: call.enter, attributes: {{time: now()}}}}}}
metrics:
  test.duration: {{instrument: histogram, unit: s, at: call.exit, value: clock() - started}}
"""
CALLS: dict[str, Callable[[], Any]] = {
    "builtins:hasattr": lambda: hasattr(sys, "maxsize"),
    "builtins:isinstance": lambda: isinstance(3, int),
    "builtins:repr": lambda: repr(3),
    "contextvars:copy_context": lambda: type(contextvars.copy_context()),
    "json:dumps": lambda: json.dumps([1]),
    "logging:Logger.isEnabledFor": lambda: logging.getLogger("test").isEnabledFor(logging.ERROR),
    "logging:Logger.warning": lambda: logging.getLogger("test").warning("warned"),
    "opentelemetry.context:get_current": lambda: type(sys.modules["opentelemetry.context"].get_current()),  # type: ignore[attr-defined]
    "opentelemetry.sdk.trace:Span.end": lambda: None,
    "os:urandom": lambda: len(os.urandom(4)),
    "random:getrandbits": lambda: random.getrandbits(1) in (0, 1),
    "threading:Lock": lambda: threading.Lock().locked(),
    "time:monotonic": lambda: time.monotonic() > 0,
    "time:time_ns": lambda: time.time_ns() > 0,
    "traceback:format_exception": lambda: traceback.format_exception(ValueError("no")),
    "weakref:WeakKeyDictionary.get": lambda: weakref.WeakKeyDictionary[Any, int]().get(object, 4),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", CALLS)
def test_our_own_calls_of_a_hooked_callable_are_neither_recorded_nor_endless(
    target: str, make_module: Callable[..., Any], tracing, instrumented
):
    call = CALLS[target]
    expected = call()
    with instrumented(SPEC.format(target=target), make_module("")):
        before = len(tracing.names)
        result = call()
        after = len(tracing.names)
    assert result == expected
    # The call of the test, and what the library calls for it: not what our own code calls.
    assert after - before <= 20
    assert target.startswith("opentelemetry") or after > before
