"""Files to specs: each file checked, its layers found, the whole merged."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from instrument.problems import Mark, Problem, SpecError, closest
from instrument.spec import layers, schema, source
from instrument.spec.packaged import PACKAGED, packaged
from instrument.spec.source import Document


@dataclass(frozen=True, slots=True)
class Layers:
    """What a file asks for: the packaged spec that it changes, if any, and its own documents from the lowest up."""

    changes: str | None
    documents: tuple[Document, ...]

    def onto(self, base: Document | None) -> Document:
        """The documents merged, onto ``base`` if there is one."""
        merged = base
        for document in self.documents:
            merged = document if merged is None else layers.merge(merged, document)
        assert merged is not None
        return merged


def read_layers(path: str | os.PathLike[str]) -> Layers:
    """Read a spec file and what it extends. Raises SpecError with all problems of all the files."""
    problems: list[Problem] = []
    changes: list[tuple[str, Mark]] = []
    documents = _read(Path(path), (), changes, problems)
    names = dict(changes)
    if len(names) > 1:
        name, mark = changes[-1]
        problems.append(Problem(mark, "extends-two", f'"{name}" is the second packaged spec that is extended here: '
                                "one file changes one", "write one file for each"))  # fmt: skip
    if problems:
        raise SpecError(problems)
    return Layers(next(iter(names), None), tuple(documents))


def read_packaged(name: str) -> Document:
    """A shipped spec; its own tests have checked it against the schema."""
    found = packaged(name)
    assert found is not None
    return source.read(found.path)


def _read(path: Path, above: tuple[Path, ...], changes: list[tuple[str, Mark]], problems: list[Problem]) -> list[Document]:
    try:
        document = source.read(path)
    except SpecError as error:
        problems.extend(error.problems)
        return []
    problems.extend(schema.check(document))
    above = (*above, path.resolve())
    documents: list[Document] = []
    for name, mark in _extends(document):
        if packaged(name) is not None:
            changes.append((name, mark))
            continue
        file = path.parent / name
        if not name.endswith((".yaml", ".yml")):
            known = [spec.name for spec in PACKAGED]
            near = closest(name, known)
            mend = f'did you mean "{near}"?' if near else f"there are: {', '.join(known)}; a file ends in .yaml"
            problems.append(Problem(mark, "unknown-spec", f'there is no packaged spec "{name}"', mend))
        elif file.resolve() in above:
            problems.append(Problem(mark, "extends-cycle", f'"{name}" extends this file in its turn: neither could be first'))
        elif not file.is_file():
            problems.append(Problem(mark, "no-file", f'there is no file "{name}" beside {path.name}'))
        else:
            documents += _read(file, above, changes, problems)
    return [*documents, document]


def _extends(document: Document) -> list[tuple[str, Mark]]:
    value = document.data.get("extends")
    if isinstance(value, str):
        return [(value, document.marks[("extends",)])]
    if isinstance(value, list):
        return [(str(name), document.marks[("extends", index)]) for index, name in enumerate(value)]
    return []
