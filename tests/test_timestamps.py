"""The times of spans: what the program provides becomes nanoseconds, or is reported and left out."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy
import pytest
from opentelemetry.instrumentation.declarative.runtime.values.timestamps import nanoseconds

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (None, None),
        (0, 0),
        (7 * SECOND, 7 * SECOND),
        (numpy.int64(7 * SECOND), 7 * SECOND),
        (7.0 * SECOND, 7 * SECOND),
        (Decimal(7 * SECOND), 7 * SECOND),
        (datetime(1970, 1, 1, 0, 0, 7), 7 * SECOND),
        (datetime(1970, 1, 1, 1, 0, 7, tzinfo=timezone(timedelta(hours=1))), 7 * SECOND),
        (numpy.datetime64("1970-01-01T00:00:07"), 7 * SECOND),
        ("1970-01-01T00:00:07Z", 7 * SECOND),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_time_is_recorded_in_nanoseconds(value, time: int | None):
    assert nanoseconds(value) == time
    assert time is None or type(nanoseconds(value)) is int


@pytest.mark.parametrize(
    "value",
    [-1, 2**63, "soon", object(), [1], float("nan"), datetime(1950, 1, 1)],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_is_not_a_time_is_an_error(value):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        nanoseconds(value)


def test_a_span_with_a_time_that_cannot_be_exported_has_the_current_time_and_is_reported_once(
    make_module: Callable[..., Any], tracing, instrumented, caplog: pytest.LogCaptureFixture
):
    module = make_module("def ship(start, end): return 1\n")
    spec = """
    hooks: {ship: {call: "HOST:ship"}}
    spans: {shipped: {at: ship.return, timestamps: {start: start, end: end}}}
    """
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    with instrumented(spec, module):
        module.ship(moment, moment + timedelta(seconds=1))
        module.ship("soon", "later")
        module.ship("soon", moment)
    first, *others = tracing.spans
    assert (first.start_time, first.end_time - first.start_time) == (1_767_225_600 * SECOND, SECOND)
    for span in others:
        assert type(span.start_time) is type(span.end_time) is int
        assert span.start_time > first.end_time
    (text,) = caplog.messages
    assert "spec.yaml:4" in text
    assert "Invalid isoformat string: 'soon'" in text
