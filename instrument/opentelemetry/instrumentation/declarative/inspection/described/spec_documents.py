"""A spec by its name or its file, with what it extends, for any release of its library."""

from __future__ import annotations

import os
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.decode import decode
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.loading import read_packaged
from opentelemetry.instrumentation.declarative.language.releases import Meant, lay, releases
from opentelemetry.instrumentation.declarative.language.shipped import packaged
from opentelemetry.instrumentation.declarative.language.spec_model import Spec
from opentelemetry.instrumentation.declarative.plan.validation import read_spec


@dataclass(frozen=True, slots=True)
class Listed:
    """The documents of a spec, from the lowest layer up."""

    documents: tuple[Document, ...]

    @property
    def file(self) -> str:
        return os.path.basename(self.documents[-1].file)

    @property
    def distribution(self) -> str | None:
        """The library that the spec is for, by the name it is installed by."""
        found = [document.data["target"]["distribution"] for document in self.documents if document.data.get("target")]
        return found[-1] if found else None

    @property
    def releases(self) -> dict[str, str]:
        """The releases that are spoken of, and the versions of each."""
        found: dict[str, str] = {}
        for document in self.documents:
            found.update({one.name: one.version for one in releases(document) if one.version})
        return found

    def spec(self, meant: Meant) -> Spec:
        merged: Document | None = None
        for document in self.documents:
            merged = lay(merged, document, meant)
        assert merged is not None
        return decode(merged)


def read(listed: str) -> Listed:
    """A packaged spec by its name, or a file. Raises SpecError with all that is wrong with it."""
    if packaged(listed) is not None:
        return Listed((read_packaged(listed),))
    layers = read_spec(listed)
    return Listed((*([read_packaged(layers.changes)] if layers.changes else []), *layers.documents))
