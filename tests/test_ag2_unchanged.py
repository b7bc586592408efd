"""AG2 does what it did: untraced, traced by the shipped spec and after that is undone, it is the same to the letter."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from . import ag2_hub_behaviours  # noqa: F401  its behaviours are in the list as well
from .ag2_behaviours import BEHAVIOURS
from .ag2_record import seen
from .oracle.ours import declarative_tracing
from .shape_facts import of_callable


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


def provider_of(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda each: each.__name__)
def test_ag2_behaves_the_same_untraced_traced_and_undone(
    behaviour: Any, spans: InMemorySpanExporter, caplog: Any
) -> None:
    caplog.set_level(logging.CRITICAL + 1, "ag2")  # it reports failures that are provoked on purpose
    natively = seen(behaviour)
    assert seen(behaviour) == natively  # else there is nothing to be compared with
    with declarative_tracing(provider_of(spans)):
        assert seen(behaviour) == natively
    traced = len(spans.get_finished_spans())
    assert seen(behaviour) == natively
    assert len(spans.get_finished_spans()) == traced
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("opentelemetry")]
    assert ours == []


def test_every_callable_of_ag2_that_is_hooked_looks_as_it_did(spans: InMemorySpanExporter) -> None:
    from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor

    with declarative_tracing(provider_of(spans)):
        active = DeclarativeInstrumentor()._active
        assert active is not None
        targets = sorted(active.sources)
        traced = {name: _facts(name) for name in targets}
    natively = {name: _facts(name) for name in targets}
    assert len(targets) > 15
    assert traced == natively


def _facts(name: str) -> dict[str, Any]:
    told = of_callable(_reached(name))
    return told | {"hints": repr(told["hints"])}  # AG2 has types that are new each time they are asked for


def _reached(name: str) -> Any:
    module, _, path = name.partition(":")
    *way, last = path.split(".")
    owner = __import__(module, fromlist=["*"])
    for step in way:
        owner = getattr(owner, step)
    held = inspect.getattr_static(owner, last)
    return held.fget if isinstance(held, property) else getattr(owner, last)


def test_there_are_behaviours_of_many_kinds() -> None:
    assert len(BEHAVIOURS) >= 15
