"""``instrument explain``: what the specs that are active here do."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
from collections.abc import Iterable

HELP = "show the generated wrappers"
DESCRIPTION = "Show, for the specs that are active here, the code that runs around each callable."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--specs",
        action="append",
        default=[],
        metavar="FILE",
        help="a spec file to add, as OTEL_PYTHON_DECLARATIVE_SPECS does",
    )
    parser.add_argument("target", nargs="?", help="only this callable, as module:Class.method")


def run(options: argparse.Namespace) -> int:
    from instrument.commands.importing import importing

    with importing():
        sources = _generated_sources(options.specs, options.target)
    for name, source in sources.items():
        print(f"# {name}\n{source}")
    if not sources:
        print("no active spec hooks " + (options.target or "anything that is installed here"), file=sys.stderr)
    return 0 if sources else 1


def _generated_sources(files: Iterable[str], target: str | None = None) -> dict[str, str]:
    """The generated code of every callable that the active specs hook here, or of one; imports their modules."""
    from instrument.active import Active
    from instrument.settings import settings
    from instrument.spec.packaged import PACKAGED, installed_version

    active = Active(settings([*files, *settings().specs]))
    try:
        for packaged in PACKAGED:
            if installed_version(packaged.distribution):
                for package in packaged.packages:
                    with contextlib.suppress(ModuleNotFoundError):  # the package of other releases
                        importlib.import_module(package)
        active.start()
        active.import_all()
        return {name: source for name, source in active.sources.items() if target in (None, name)}
    finally:
        active.stop()
