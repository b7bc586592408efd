"""Descriptions of attributes from the installed OpenTelemetry semantic conventions."""

from __future__ import annotations

import ast
import importlib.util
import itertools
from functools import cache
from pathlib import Path

#: The folders of the package, stable conventions first.
_FOLDERS = ("attributes", "_incubating/attributes")


def conventional_brief(key: str) -> str | None:
    """Return the first paragraph about an attribute in the conventions; None if it is unknown or deprecated."""
    return _briefs_in_namespace(key.partition(".")[0]).get(key)


@cache
def _briefs_in_namespace(namespace: str) -> dict[str, str]:
    # The files are parsed, not imported: there are many, and some emit warnings on import.
    package = importlib.util.find_spec("opentelemetry.semconv") if namespace.isidentifier() else None
    found: dict[str, str] = {}
    for root in (package.submodule_search_locations or ()) if package else ():
        for folder in _FOLDERS:
            file = Path(root) / folder / f"{namespace}_attributes.py"
            if file.is_file():
                found = {**_briefs_in_source(file.read_text(encoding="utf-8")), **found}
    return found


def _briefs_in_source(source: str) -> dict[str, str]:
    """Return the constants of a module with the docstrings below them."""
    body = ast.parse(source).body
    found: dict[str, str] = {}
    for statement, below in itertools.pairwise(body):
        match statement, below:
            case ast.AnnAssign(value=ast.Constant(value=str(key))), ast.Expr(value=ast.Constant(value=str(text))):
                first = " ".join(text.strip().partition("\nNote:")[0].partition("\n\n")[0].split())
                if first and not first.startswith("Deprecated"):
                    found[key] = first
    return found
