"""The documents of a spec and of what it extends, for any release of its library."""

from __future__ import annotations

import os
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.inspection.described.describe import describe
from opentelemetry.instrumentation.declarative.inspection.described.facts import Description
from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.loading import read_shipped
from opentelemetry.instrumentation.declarative.language.nodes.registry import Registry
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.registry_file import read_registry
from opentelemetry.instrumentation.declarative.language.releases import ReleaseFilter, merge_documents, releases
from opentelemetry.instrumentation.declarative.language.shipped import find_shipped
from opentelemetry.instrumentation.declarative.plan.validation import layers_of, read_spec


@dataclass(frozen=True, slots=True)
class SpecDocuments:
    """The documents of a spec, from the lowest layer up."""

    documents: tuple[Document, ...]

    @property
    def file(self) -> str:
        return os.path.basename(self.documents[-1].file)

    @property
    def distribution(self) -> str | None:
        """The distribution that the spec is for."""
        targets = [document.data.get("target") or {} for document in self.documents]
        return next((target["distribution"] for target in reversed(targets) if "distribution" in target), None)

    @property
    def releases(self) -> dict[str, str]:
        """The names of the releases in the documents, and their version specifiers."""
        found: dict[str, str] = {}
        for document in self.documents:
            found.update({one.name: one.version for one in releases(document) if one.version})
        return found

    def spec(self, applies: ReleaseFilter) -> Spec:
        """Return the spec with the releases that apply."""
        return decode(merge_documents(self.documents, applies))

    def registry(self) -> Registry:
        """Return the descriptions that belong to the documents."""
        return read_registry(self.documents)

    def description(self, applies: ReleaseFilter) -> Description:
        """Return what the spec records with the releases that apply."""
        return describe(self.spec(applies), self.registry())


def read_spec_documents(spec: str) -> SpecDocuments:
    """Read a shipped spec by its name, or a file. Raises SpecError with its problems."""
    if find_shipped(spec) is not None:
        return SpecDocuments((read_shipped(spec),))
    return SpecDocuments(layers_of(read_spec(spec)))
