"""``instrument reference``: what a spec records, as a page or as a registry."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.inspection.described.spec_documents import SpecDocuments
    from opentelemetry.instrumentation.declarative.language.releases import Meant

HELP = "write a page, or a Weaver registry, of what a spec records"
DESCRIPTION = (
    "Write what a spec records, with what it extends, for the installed release of its library: as a page in Markdown, "
    "or as a registry that OpenTelemetry Weaver reads."
)
#: What follows the name of the spec in the schema URL of a registry that has none of its own.
UNPUBLISHED = "https://example.com/schemas"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="a spec file, or the name of one that is shipped, as ag2")
    parser.add_argument(
        "--format", choices=["markdown", "registry"], default="markdown", help="a page (default), or a Weaver registry"
    )
    parser.add_argument(
        "--release", metavar="RELEASE", help="a version of the library, as 0.14.0, or a name under `releases`"
    )
    parser.add_argument(
        "--schema-url",
        metavar="URL",
        help="the URL of the registry, which ends in its version; a placeholder without it",
    )
    parser.add_argument("-o", "--output", metavar="PATH", help="the file of the page, or the directory of the registry")


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
    from opentelemetry.instrumentation.declarative.inspection.described.spec_documents import read_spec_documents

    if options.format == "registry" and options.output is None:
        return _wrong("a registry is several files, and there is no directory for them. Name one with -o.")
    if options.schema_url is not None and options.format != "registry":
        return _wrong("a page has no schema URL. Leave --schema-url out, or ask for --format registry.")
    try:
        documents = read_spec_documents(options.spec)
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    release = _release(documents, options.release)
    if isinstance(release, str):
        return _wrong(release)
    try:
        _write(documents, *release, options)
    except OSError as error:
        return _wrong(f"{options.output} cannot be written: {error.strerror}. Name another place with -o.")
    return 0


def _wrong(sentence: str) -> int:
    print(f"instrument reference: {sentence}", file=sys.stderr)
    return 2


def _release(documents: SpecDocuments, wanted: str | None) -> tuple[Meant, str] | str:
    """The release that is meant and how it is called; a sentence where there is none of that name."""
    from opentelemetry.instrumentation.declarative.language.releases import installed, no_release
    from opentelemetry.instrumentation.declarative.language.shipped import installed_version

    if wanted is None:
        version = installed_version(documents.distribution) if documents.distribution else None
        if version is None:
            return no_release, "in its newest releases"
        return installed(version), f"in release {version}"
    if wanted[:1].isdigit():
        from packaging.version import InvalidVersion, Version

        try:
            Version(wanted)
        except InvalidVersion:
            return f'"{wanted}" is no version. Write it as 1.2.1.'
        return installed(wanted), f"in release {wanted}"
    if wanted not in documents.releases:
        known = ", ".join(documents.releases) or "none"
        return f'the spec knows no release "{wanted}". Give a version, or a name under `releases`: {known}.'
    return lambda name, _version: name == wanted, f"in the releases {wanted} ({documents.releases[wanted]})"


def _write(documents: SpecDocuments, meant: Meant, release: str, options: argparse.Namespace) -> None:
    from opentelemetry.instrumentation.declarative.inspection.described import describe

    facts = describe(documents.spec(meant))
    if options.format == "registry":
        from opentelemetry.instrumentation.declarative.inspection.registry import GROUPS, MANIFEST, registry

        url = options.schema_url or f"{UNPUBLISHED}/{facts.name}/{facts.scope[1] or '0.1.0'}"
        head = f"What {documents.file} records {release}. Written by `instrument reference --format registry`."
        folder = Path(options.output)
        folder.mkdir(parents=True, exist_ok=True)
        files = registry(facts, url, head)
        for name in (MANIFEST, *GROUPS):
            if name in files:
                (folder / name).write_text(files[name], encoding="utf-8", newline="\n")
            else:  # of a spec that had such groups before
                (folder / name).unlink(missing_ok=True)
        return
    from opentelemetry.instrumentation.declarative.inspection.reference import reference_page

    text = reference_page(facts, documents.file, release)
    if options.output is None:
        sys.stdout.write(text)
    else:
        Path(options.output).write_text(text, encoding="utf-8", newline="\n")
