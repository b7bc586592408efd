"""Loads specs: reads a file and what it extends, and validates each file against the schema."""

from __future__ import annotations

import os
import re
from collections.abc import Set as AbstractSet
from pathlib import Path, PureWindowsPath

from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    Mark,
    Problem,
    SpecError,
    closest,
    did_you_mean,
    quoted,
)
from opentelemetry.instrumentation.declarative.language import layers
from opentelemetry.instrumentation.declarative.language.document import (
    Document,
    KeyPath,
    read_document,
    read_with_problems,
)
from opentelemetry.instrumentation.declarative.language.invalid_entries import without_invalid_entries
from opentelemetry.instrumentation.declarative.language.releases import ReleaseFilter, merge_documents
from opentelemetry.instrumentation.declarative.language.shipped import (
    OPT_IN_SPECS,
    SHIPPED_SPECS,
    find_shipped,
    spec_file,
)
from opentelemetry.instrumentation.declarative.language.text_file import FileStamp, file_stamp, read_bytes
from opentelemetry.instrumentation.declarative.records import record

#: How many files and shipped specs one file can extend, directly or through others.
MAX_FILES = 50

_FIRST_LINE = re.compile(rb"^[\"']?instrument[\"']?[ \t]*:", re.MULTILINE)
_RELATIVE_PATH = "write the path relative to the folder of this file"


@record(frozen=True)
class Layers:
    """The layers of a spec: the shipped spec that it extends, if any, and its own documents, lowest first."""

    extends_shipped: str | None
    documents: tuple[Document, ...]
    #: Whether all files that it extends could be read.
    complete: bool = True
    #: The paths of the entries that are left out because they are invalid.
    left_out: AbstractSet[KeyPath] = frozenset()

    def merged_onto(self, base: Document | None, applies: ReleaseFilter) -> Document:
        """Merge the documents, onto ``base`` if there is one, each with those of its releases that apply."""
        return merge_documents(self.documents, applies, base)


def read_layers(
    spec: str | os.PathLike[str] | Document,
    problems: list[Problem],
    left_out: set[KeyPath],
    files: dict[str, FileStamp] | None = None,
) -> Layers:
    """Read a spec, which is a file or a document that has already been read, and the files that it extends.

    The problems of all files are added to ``problems``. Invalid entries are left out of the documents, so that the rest
    can be validated, and their paths are added to ``left_out``. ``files`` receives each file that is looked for, with
    its stamp before it is read. Raises SpecError if nothing is left.
    """
    shipped: list[tuple[str, Mark]] = []
    reader = _LayerReader(shipped, problems, left_out, {} if files is None else files)
    if isinstance(spec, Document):
        documents = reader.read(Path(spec.file), (), spec)
    else:
        file = Path(spec_file(spec))
        suggestion = None if file.exists() else closest(str(spec), OPT_IN_SPECS)
        if suggestion:
            mark, message = Mark(str(spec), 1, 1), f'there is no file "{spec}"'
            help = f'did you mean "{suggestion}", which is shipped?'
            raise SpecError([Problem(mark, "unknown-spec", message, help, subject=str(spec), suggestion=suggestion)])
        documents = reader.read(file, ())
    names = dict(shipped)
    if len(names) > 1:
        name, mark = shipped[-1]
        message = f'"{name}" is the second shipped spec that this file extends: it can extend only one'
        problems.append(Problem(mark, "extends-two", message, "write one file for each", subject=name))
    if not documents:
        raise SpecError(problems)
    return Layers(next(iter(names), None), tuple(documents), reader.complete, left_out)


def read_shipped(name: str) -> Document:
    """Read a shipped spec and its overlays. It is not validated here: the tests of this package do that."""
    found = find_shipped(name)
    assert found is not None
    document = read_document(found.path)
    for path in found.overlay_paths:
        document = layers.merge(document, read_document(path), with_releases=True)
    return document


class _LayerReader:
    """Reads a file and, recursively, the files that it extends."""

    def __init__(
        self,
        shipped: list[tuple[str, Mark]],
        problems: list[Problem],
        left_out: set[KeyPath],
        files: dict[str, FileStamp],
    ) -> None:
        self.shipped = shipped
        self.files = files
        self.problems = problems
        self.left_out = left_out
        self.complete = True
        self._read: set[Path] = set()
        self._extended = 0

    def read(self, path: Path, extended_by: tuple[Path, ...], given: Document | None = None) -> list[Document]:
        """The documents of a file, lowest layer first.

        ``extended_by``: the files that extend it, from the listed one on. ``given``: its document, if already read.
        """
        if given is None or given.text is None:
            self.files.setdefault(os.path.abspath(path), file_stamp(path))
        chain = (*extended_by, resolved) if (resolved := _resolved(path)) else extended_by
        self._read.update(chain)
        try:
            read, problems, invalid = (given, [], []) if given else read_with_problems(path)
            self.problems.extend(problems)
            document = without_invalid_entries(read, self.problems, self.left_out, invalid=invalid)
        except SpecError as error:
            self.problems.extend(error.problems)
            document = None
        if document is None:
            self.complete = False
            return []
        documents: list[Document] = []
        for name, mark in _extends(document):
            self._extended += 1
            if self._extended > MAX_FILES:
                message = f"this spec extends more than {MAX_FILES} files and specs"
                self._report(mark, "too-large", message, "combine some of them into one file")
                break
            if find_shipped(name) is not None:
                self.shipped.append((name, mark))
            else:
                documents += self._extended_file(path, chain, name, mark)
        return [*documents, document]

    def _extended_file(self, path: Path, chain: tuple[Path, ...], name: str, mark: Mark) -> list[Document]:
        """The documents of a file that the file at ``path`` extends; empty if that is not possible."""
        file = path.parent / name
        resolved = _resolved(file)
        is_file_name = name.endswith((".yaml", ".yml"))
        if resolved is not None and is_file_name:
            self.files.setdefault(os.path.abspath(file), file_stamp(file))
        if not is_file_name:
            return self._unknown_spec(path, chain, name, mark)
        if Path(name).is_absolute() or PureWindowsPath(name).drive:
            message = f"{quoted(name)} is an absolute path, which differs between machines"
            self._report(mark, "outside-folder", message, f"{_RELATIVE_PATH}, or list the file itself")
        elif resolved is None or not resolved.is_file():
            message = f"there is no file {quoted(name)} relative to {path.name}"
            suggestion = _file_like(name, path)
            help = did_you_mean(suggestion) or _RELATIVE_PATH
            self._report(mark, "no-file", message, help, subject=name, suggestion=suggestion)
            return self._intended(path, chain, suggestion, mark)
        elif resolved == chain[-1]:
            self._report(mark, "extends-cycle", "this file extends itself", "name the spec to extend")
        elif resolved in chain:
            message = f"{quoted(name)} also extends this file: neither can come first"
            self._report(mark, "extends-cycle", message, "remove one of the two `extends`")
        elif len(chain) > 1 and not any(resolved.is_relative_to(each.parent) for each in (chain[0], chain[-1])):
            message = f"{quoted(name)} is outside the folder of {chain[0].name}, which does not extend it directly"
            self._report(mark, "outside-folder", message, f"add it to `extends` in {chain[0].name}")
        elif not resolved.is_relative_to(chain[0].parent) and not _is_spec(resolved):
            # Not read any further: its problems would reveal pieces of a file that may be confidential.
            message = f"{quoted(name)} is not a spec"
            self._report(mark, "no-spec", message, 'name a file that has the line "instrument: 2"', subject=name)
        elif resolved not in self._read:  # a file that two layers extend is merged once, below both
            return self.read(file, chain)
        return []

    def _unknown_spec(self, path: Path, chain: tuple[Path, ...], name: str, mark: Mark) -> list[Document]:
        """Report the name of a shipped spec that does not exist. Returns the documents of the one intended, if any."""
        known = [spec.name for spec in SHIPPED_SPECS]
        suggestion = closest(name, known) or (f"{name}.yaml" if (path.parent / f"{name}.yaml").is_file() else None)
        opt_in = None if name in known else closest(name, OPT_IN_SPECS)
        help = did_you_mean(suggestion) or f"there are: {', '.join(known)}; a file name ends in .yaml"
        message = f"there is no shipped spec {quoted(name)}"
        if opt_in is not None and suggestion is None:
            message += " to extend"
            help = f"extend what it extends, and list {opt_in} in OTEL_PYTHON_DECLARATIVE_SPECS"
        self._report(mark, "unknown-spec", message, help, subject=name, suggestion=suggestion)
        return self._intended(path, chain, suggestion, mark)

    def _intended(self, path: Path, chain: tuple[Path, ...], name: str | None, mark: Mark) -> list[Document]:
        """The documents of the spec or file that was probably intended, so that the rest is checked against it."""
        if name is not None and find_shipped(name) is not None:
            self.complete = True
            self.shipped.append((name, mark))
        elif name is not None and (path.parent / name).is_file():
            self.complete = True
            return self._extended_file(path, chain, name, mark)
        return []

    def _report(
        self,
        mark: Mark,
        code: str,
        message: str,
        help: str,
        *,
        subject: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        self.problems.append(Problem(mark, code, message, help, subject=subject, suggestion=suggestion))
        self.complete = False


def _file_like(name: str, path: Path) -> str | None:
    """The shipped spec or the file beside ``path`` that was probably intended."""
    stem = Path(name).stem
    if find_shipped(stem) is not None:
        return stem
    try:
        files = [each.name for each in path.parent.glob("*.y*ml") if each.name != path.name]
    except OSError:
        return None
    return closest(name, files)


def _resolved(path: Path) -> Path | None:
    """The path with links resolved; None if that is not possible: a cycle of links, or an invalid file name."""
    try:
        resolved = path.resolve()
        resolved.is_file()
    except (OSError, RuntimeError, ValueError):
        return None
    return resolved


def _is_spec(path: Path) -> bool:
    try:
        return bool(_FIRST_LINE.search(read_bytes(path, str(path))))
    except SpecError:
        return False


def _extends(document: Document) -> list[tuple[str, Mark]]:
    """The files and specs that a document extends, with their marks."""
    value = document.data.get("extends")
    if isinstance(value, str):
        return [(value, document.marks[("extends",)])]
    if isinstance(value, list):
        return [(str(name), document.marks[("extends", index)]) for index, name in enumerate(value)]
    return []
