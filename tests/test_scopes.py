"""The instrumentation scope: its name, version and schema URL, and what they depend on."""

from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.language.content_policy import NO_CONTENT
from opentelemetry.instrumentation.declarative.language.releases import for_version
from opentelemetry.instrumentation.declarative.language.shipped import SHIPPED_SPECS
from opentelemetry.instrumentation.declarative.plan.effective import effective_shipped_spec
from opentelemetry.instrumentation.declarative.plan.validation import plan_of, read_spec
from opentelemetry.instrumentation.declarative.version import __version__

RULES = """
hooks: {pay: {call: "HOST:pay"}}
spans: {payment: {around: pay}}
metrics: {shop.paid: {instrument: counter, at: pay.return}}
logs: {paid: {at: pay.return}}
"""


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("http,database", "https://opentelemetry.io/schemas/1.23.0"),
        ("", "https://opentelemetry.io/schemas/1.11.0"),
    ],
)
def test_the_schema_url_can_depend_on_an_environment_variable(
    variable: str, url: str, make_module, recorded, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SHOP_CONVENTIONS", variable)
    spec = """
scope:
  - name: shop
    schema_url: https://opentelemetry.io/schemas/1.23.0
    when: '"http" in split("${SHOP_CONVENTIONS}", ",")'
  - {name: shop, version: 1.2.0, schema_url: https://opentelemetry.io/schemas/1.11.0}
"""
    module = make_module("def pay(): pass")
    with recorded(spec + RULES, module) as trace:
        module.pay()
    (span,) = trace.spans
    assert span.instrumentation_scope is not None
    assert (span.instrumentation_scope.name, span.instrumentation_scope.schema_url) == ("shop", url)
    assert trace.logs[0].scope == "shop"


def test_without_a_scope_that_applies_the_name_is_that_of_the_spec(make_module, recorded):
    module = make_module("def pay(): pass")
    with recorded("scope: [{name: shop, when: 'False'}]" + RULES, module) as trace:
        module.pay()
    scope = trace.spans[0].instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version or None) == ("instrument.test", None)


def test_a_shipped_spec_has_the_version_of_this_package():
    for spec in SHIPPED_SPECS:
        assert effective_shipped_spec(spec, [], NO_CONTENT).plan.scope.version == __version__


def test_an_overlay_of_a_shipped_spec_can_change_its_schema_url_or_its_scope(tmp_path: Path):
    (ag2,) = [spec for spec in SHIPPED_SPECS if spec.name == "ag2"]
    overlay = tmp_path / "overlay.yaml"
    scopes = []
    for scope in ("{schema_url: https://example.com/1}", "{name: com.example.agents, version: 2.0.0}"):
        overlay.write_text(f"instrument: 2\nextends: ag2\nscope: {scope}\n")
        scopes.append(effective_shipped_spec(ag2, [read_spec(overlay)], NO_CONTENT).plan.scope)
    assert scopes[0][:3] == ("opentelemetry.instrumentation.ag2", __version__, "https://example.com/1")
    assert scopes[1][:2] == ("com.example.agents", "2.0.0")


@pytest.mark.parametrize(("version", "url"), [("0.9", "https://example.com/0"), ("1.0", "https://example.com/1")])
def test_the_schema_url_can_depend_on_the_installed_release(version: str, url: str, tmp_path: Path):
    file = tmp_path / "shop.yaml"
    file.write_text(
        """
instrument: 2
name: shop
target: {distribution: shop}
scope: {name: com.example.shop, schema_url: https://example.com/1}
releases:
  before_one: {version: "<1", scope: {schema_url: https://example.com/0}}
"""
    )
    merged = read_spec(file).merged_onto(None, for_version(version))
    assert plan_of(merged, content=NO_CONTENT).scope[:3] == ("com.example.shop", None, url)
