"""Specs that yield to another instrumentation of their library, and shipped specs that are disabled."""

import textwrap
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.config.settings import read_settings
from opentelemetry.instrumentation.declarative.process.active_specs import ActiveSpecs
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

SPEC = """
instrument: 2
name: shop
target: {{distribution: click, yields_to: [{other}]}}
spans: {{pay: {{around: "{host}:pay"}}}}
"""
OTHER = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
class ShopInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self): return self.required
    def _instrument(self, **options): pass
    def _uninstrument(self, **options): pass
    required = ()
"""


@pytest.fixture
def other(make_module) -> Any:
    return make_module(OTHER)


@pytest.fixture
def host(make_module, other, tmp_path: Path) -> tuple[Any, Path]:
    module = make_module("def pay(): pass")
    spec = tmp_path / "shop.yaml"
    spec.write_text(textwrap.dedent(SPEC.format(other=other.__name__, host=module.__name__)))
    return module, spec


@pytest.fixture
def pay(host: tuple[Any, Path], tracing) -> Any:
    """Calls the function of the library, and returns the number of spans that were recorded of the call."""

    def call() -> int:
        before = len(tracing.spans)
        host[0].pay()
        return len(tracing.spans) - before

    return call


def test_a_spec_is_inactive_while_the_instrumentation_that_it_yields_to_is_active(
    host: tuple[Any, Path], other, pay, tracing
):
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(specs=[host[1]], tracer_provider=tracing.provider, report="-", report_signal="none")
    try:
        active: Any = instrumentor._active
        assert pay() == 1
        other.ShopInstrumentor().instrument()
        assert pay() == 0
        (status,) = active.status()
        assert (status.state, status.why) == ("left out", f"{other.__name__} is active and records the same calls")
        other.ShopInstrumentor().uninstrument()
        assert pay() == 1
        assert [each.state for each in active.status()] == ["active"]
    finally:
        instrumentor.uninstrument()
    assert pay() == 0


def test_a_spec_that_starts_later_yields_and_takes_over_when_the_other_ends(
    host: tuple[Any, Path], other, pay, tracing
):
    other.ShopInstrumentor().instrument()
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(specs=[host[1]], tracer_provider=tracing.provider)
    try:
        assert pay() == 0
        other.ShopInstrumentor().uninstrument()
        assert pay() == 1
    finally:
        instrumentor.uninstrument()


def test_an_instrumentation_that_cannot_start_does_not_count(host: tuple[Any, Path], other, pay, tracing):
    other.ShopInstrumentor.required = ("a-library-that-does-not-exist",)
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(specs=[host[1]], tracer_provider=tracing.provider)
    try:
        other.ShopInstrumentor().instrument()
        assert pay() == 1
    finally:
        instrumentor.uninstrument()


def test_the_methods_of_opentelemetry_are_restored(host: tuple[Any, Path], tracing):
    before = {name: vars(BaseInstrumentor)[name] for name in ("instrument", "uninstrument")}
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(specs=[host[1]], tracer_provider=tracing.provider)
    assert vars(BaseInstrumentor)["instrument"].__wrapped__ is before["instrument"]
    instrumentor.uninstrument()
    assert {name: vars(BaseInstrumentor)[name] for name in before} == before


def test_a_shipped_spec_can_be_disabled(monkeypatch: pytest.MonkeyPatch):
    assert read_settings(disabled_specs=["openai"]).disabled == {"openai"}
    monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_DISABLED_SPECS", "openai, mcp")
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "ag2,flask")
    settings = read_settings()
    assert settings.disabled == {"ag2", "openai", "mcp", "flask"}
    active = ActiveSpecs(settings)
    active.start()
    try:
        reasons = {status.name: status.why for status in active.status()}
    finally:
        active.stop()
    assert reasons["ag2.yaml"] == reasons["openai.yaml"] == "it is disabled"
