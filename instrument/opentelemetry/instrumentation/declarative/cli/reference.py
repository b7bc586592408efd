"""``instrument reference``: documents what a spec records, as a page or as a registry."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.inspection.described.spec_documents import SpecDocuments
    from opentelemetry.instrumentation.declarative.language.releases import ReleaseFilter

HELP = "document what a spec records, as a page or as a Weaver registry"
DESCRIPTION = (
    "Document what a spec and the specs that it extends record, for the installed release of its library: as a page in "
    "Markdown, or as a registry for OpenTelemetry Weaver."
)
#: The start of the schema URL of a registry if none is given. The name of the spec and a version follow.
PLACEHOLDER_URL = "https://example.com/schemas"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="a spec file, or the name of a shipped spec, for example ag2")
    parser.add_argument(
        "--format", choices=["markdown", "registry"], default="markdown", help="a page (default), or a Weaver registry"
    )
    parser.add_argument(
        "--release", metavar="RELEASE", help="a version of the library, for example 0.14.0, or a name under `releases`"
    )
    parser.add_argument(
        "--schema-url",
        metavar="URL",
        help="the URL of the registry, which ends in its version; a placeholder by default",
    )
    parser.add_argument("-o", "--output", metavar="PATH", help="the file of the page, or the directory of the registry")


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
    from opentelemetry.instrumentation.declarative.inspection.described.spec_documents import read_spec_documents

    if options.format == "registry" and options.output is None:
        return _usage_error("a registry needs a directory for its files. Name one with -o.")
    if options.schema_url is not None and options.format != "registry":
        return _usage_error("a page has no schema URL. Omit --schema-url, or add --format registry.")
    try:
        documents = read_spec_documents(options.spec)
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    release = _release(documents, options.release)
    if isinstance(release, str):
        return _usage_error(release)
    try:
        _write(documents, *release, options)
    except BrokenPipeError:  # the reader of standard output has enough
        raise
    except OSError as error:
        return _usage_error(f"{options.output} cannot be written: {error.strerror}. Name another path with -o.")
    return 0


def _usage_error(message: str) -> int:
    print(f"instrument reference: {message}", file=sys.stderr)
    return 2


def _release(documents: SpecDocuments, wanted: str | None) -> tuple[ReleaseFilter, str] | str:
    """The filter for a release, and a phrase for it; or an error message if the release is unknown."""
    from opentelemetry.instrumentation.declarative.language.releases import for_version, no_release
    from opentelemetry.instrumentation.declarative.language.shipped import installed_version

    if wanted is None:
        version = installed_version(documents.distribution) if documents.distribution else None
        if version is None:
            return no_release, "in the latest release"
        return for_version(version), f"in release {version}"
    if wanted[:1].isdigit():
        from packaging.version import InvalidVersion, Version

        try:
            Version(wanted)
        except InvalidVersion:
            return f'"{wanted}" is not a valid version. Write it as 1.2.1.'
        return for_version(wanted), f"in release {wanted}"
    if wanted not in documents.releases:
        known = ", ".join(documents.releases) or "none"
        return f'"{wanted}" is not a release in the spec. Name a version, or a release under `releases`: {known}.'
    return lambda name, _version: name == wanted, f"in the releases {wanted} ({documents.releases[wanted]})"


def _write(documents: SpecDocuments, applies: ReleaseFilter, release: str, options: argparse.Namespace) -> None:
    facts = documents.description(applies)
    if options.format == "registry":
        from opentelemetry.instrumentation.declarative.inspection.registry import GROUPS, MANIFEST, registry

        url = options.schema_url or f"{PLACEHOLDER_URL}/{facts.name}/{facts.scope.version or '0.1.0'}"
        head = f"What {documents.file} records {release}. Written by `instrument reference --format registry`."
        folder = Path(options.output)
        folder.mkdir(parents=True, exist_ok=True)
        files = registry(facts, url, head)
        for name in (MANIFEST, *GROUPS):
            if name in files:
                (folder / name).write_text(files[name], encoding="utf-8", newline="\n")
            else:  # from an earlier version of the spec
                (folder / name).unlink(missing_ok=True)
        return
    from opentelemetry.instrumentation.declarative.inspection.reference import reference_page

    text = reference_page(facts, documents.file, release)
    if options.output is None:
        sys.stdout.write(text)
    else:
        Path(options.output).write_text(text, encoding="utf-8", newline="\n")
