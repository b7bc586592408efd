"""Reads the descriptions that belong to a spec, from the file beside it. A program that is traced does not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, SpecError
from opentelemetry.instrumentation.declarative.language.decode import decode_root, find_problems
from opentelemetry.instrumentation.declarative.language.document import Document, read_with_problems
from opentelemetry.instrumentation.declarative.language.node_type import NO_MARK
from opentelemetry.instrumentation.declarative.language.nodes.registry import Registry

_ENDING = "_registry"
#: The keys with descriptions.
_DESCRIBED = [name for name in Registry.node_type.keys if name != "instrument"]


def registry_path(spec_file: str) -> Path:
    """The file of the descriptions that belong to a spec: ``shop_registry.yaml`` for ``shop.yaml``."""
    path = Path(spec_file)
    return path.with_name(f"{path.stem}{_ENDING}{path.suffix}")


def is_registry(file: str) -> bool:
    """Whether a file is named like one with descriptions, and the spec that it belongs to is beside it."""
    path = Path(file)
    return path.stem.endswith(_ENDING) and path.with_name(f"{path.stem.removesuffix(_ENDING)}{path.suffix}").is_file()


def registry_problems(file: str) -> list[Problem]:
    """The problems of a file with descriptions."""
    try:
        document, problems, invalid = read_with_problems(Path(file))
    except SpecError as error:
        return list(error.problems)
    found = [each.problem for each in find_problems(document, Registry) if each.path not in invalid]
    return [*problems, *found]


def read_registry(documents: Iterable[Document]) -> Registry:
    """The descriptions that belong to the layers of a spec, those of the lowest layer first. Raises SpecError."""
    return read_registries(document.file for document in documents if document.text is None)


def read_registries(spec_files: Iterable[str]) -> Registry:
    """The descriptions that belong to the files of a spec, those of the lowest layer first. Raises SpecError."""
    merged = Registry(mark=NO_MARK)
    for file in spec_files:
        path = registry_path(file)
        if not path.is_file():
            continue
        if problems := registry_problems(str(path)):
            raise SpecError(problems)
        found = decode_root(Registry, read_with_problems(path)[0])
        for name in _DESCRIBED:
            getattr(merged, name).update(getattr(found, name))
    return merged
