"""Differences between releases of a library."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.node_type import node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.distribution import Distribution
from opentelemetry.instrumentation.declarative.language.nodes.rules import Rules
from opentelemetry.instrumentation.declarative.language.nodes.scope import SCOPES, Scope
from opentelemetry.instrumentation.declarative.language.texts import VERSION_SPECIFIER
from opentelemetry.instrumentation.declarative.records import record


@node(
    "release",
    "Differences in some releases of the library. They are merged onto the rest of the file if the "
    "installed release is one of them. Mappings are merged by key, and `null` removes a value.",
    {
        "version": "<1.0",
        "target": {"modules": {"shop": "old_shop"}},
        "hooks": {"pay": {"call": "shop.till:Till.settle"}},
    },
    is_layer=True,
    required=("version",),
    help="Name the releases with `version`.",
)
@record(frozen=True, kw_only=True)
class Release(Rules):
    """The parts of a spec that apply to some releases of the library only."""

    version: str | None = yaml_key(
        VERSION_SPECIFIER,
        "version specifier",
        "The releases that this entry applies to, as a PEP 440 version specifier.",
        "<1.0",
    )
    target: Distribution | None = yaml_key(
        NodeValue(Distribution),
        "target distribution",
        "The names that modules have in these releases. By default they are those of the rest of the file.",
        {"modules": {"shop": "old_shop"}},
    )
    scopes: tuple[Scope, ...] = yaml_key(SCOPES, yaml="scope")
