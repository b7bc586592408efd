"""The specs in effect: which documents are merged for the installed release of a library, and the plan of the result.

The running process, ``instrument check`` and ``instrument explain`` all ask here, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
from opentelemetry.instrumentation.declarative.language.content_policy import ContentPolicy
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.loading import Layers, read_shipped
from opentelemetry.instrumentation.declarative.language.releases import (
    ReleaseFilter,
    for_version,
    is_in_range,
    merge_documents,
    no_release,
)
from opentelemetry.instrumentation.declarative.language.shipped import ShippedSpec, installed_version
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.plan.validation import plan_of, plan_overlay
from opentelemetry.instrumentation.declarative.records import record


class Support(NamedTuple):
    """Whether a spec supports the installed release of its library."""

    distribution: str
    #: The version specifier of the spec.
    required: str
    installed: str | None

    @property
    def state(self) -> Literal["supported", "not-installed", "unsupported", "invalid"]:
        """``invalid`` if the specifier is not one."""
        if self.installed is None:
            return "not-installed"
        inside = is_in_range(self.installed, self.required)
        return "invalid" if inside is None else "supported" if inside else "unsupported"


@record(frozen=True)
class EffectiveSpec:
    """A spec for the installed release of its library: its documents from the lowest layer up, merged, and planned."""

    documents: tuple[Document, ...]
    #: Selects the releases under ``releases`` that include the installed version.
    applies: ReleaseFilter
    merged: Document
    plan: Plan
    #: The overlays that are not merged, because of their problems.
    left_out: tuple[tuple[Layers, SpecError], ...] = ()

    @property
    def support(self) -> Support | None:
        """None if the spec is for no distribution."""
        return support_of(self.merged)


def support_of(document: Document) -> Support | None:
    """Whether the distribution that a document names under ``target`` is installed in a supported release."""
    target: dict[str, str] = document.data.get("target") or {}
    distribution = target.get("distribution")
    if not distribution:
        return None
    return Support(distribution, target.get("version") or "", installed_version(distribution))


def release_filter(document: Document) -> ReleaseFilter:
    """Selects the releases that include the installed version of the distribution that a document is for."""
    support = support_of(document)
    return for_version(support.installed if support is not None else None)


def effective_spec(layers: Layers, content: ContentPolicy) -> EffectiveSpec:
    """A listed spec that extends no shipped one. Raises SpecError."""
    applies = release_filter(merge_documents(layers.documents, no_release))
    merged = merge_documents(layers.documents, applies)
    return EffectiveSpec(layers.documents, applies, merged, plan_of(merged, content=content))


def effective_shipped_spec(shipped: ShippedSpec, overlays: Sequence[Layers], content: ContentPolicy) -> EffectiveSpec:
    """A shipped spec with the overlays of the user. An overlay with problems is left out."""
    applies = for_version(installed_version(shipped.distribution))
    documents = [read_shipped(shipped.name)]
    merged = merge_documents(documents, applies)
    plan: Plan | None = None
    left_out = []
    for layers in overlays:
        try:
            candidate = merge_documents(layers.documents, applies, merged)
            plan = plan_overlay(candidate, documents[0], layers, applies, content)
        except SpecError as error:
            left_out.append((layers, error))
        else:
            merged = candidate
            documents += layers.documents
    if plan is None:
        plan = plan_of(merged, content=content)
    return EffectiveSpec(tuple(documents), applies, merged, plan, tuple(left_out))
