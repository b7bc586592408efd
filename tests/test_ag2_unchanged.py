"""AG2 behaves exactly the same untraced, traced by the shipped spec, and after the spec is removed."""

import inspect
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from . import ag2_hub_behaviours  # noqa: F401  adds its behaviours to the list
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
def test_ag2_behaves_the_same_untraced_traced_and_after_removal(behaviour, spans: InMemorySpanExporter, caplog):
    caplog.set_level(logging.CRITICAL + 1, "ag2")  # AG2 logs failures that are provoked on purpose
    natively = seen(behaviour)
    assert seen(behaviour) == natively  # otherwise there would be nothing to compare with
    for overlays in ([], ["ag2_details", "ag2_handled"]):
        with declarative_tracing(provider_of(spans), specs=overlays):
            assert seen(behaviour) == natively
    traced = len(spans.get_finished_spans())
    assert seen(behaviour) == natively
    assert len(spans.get_finished_spans()) == traced
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("opentelemetry")]
    assert ours == []


def test_every_hooked_callable_of_ag2_is_restored(spans: InMemorySpanExporter):
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
    facts = of_callable(_object_at(name))
    return facts | {"hints": repr(facts["hints"])}  # AG2 has types that are created on each access


def _object_at(name: str) -> Any:
    module, _, path = name.partition(":")
    *way, last = path.split(".")
    owner = __import__(module, fromlist=["*"])
    for step in way:
        owner = getattr(owner, step)
    held = inspect.getattr_static(owner, last)
    return held.fget if isinstance(held, property) else getattr(owner, last)


def test_the_recorded_behaviours_are_of_many_kinds():
    assert len(BEHAVIOURS) >= 15
