"""What OpenTelemetry's semantic conventions say that an attribute means, as far as they are installed."""

from __future__ import annotations

import ast
import importlib.util
import itertools
from functools import cache
from pathlib import Path

#: Where the package has them: what is stable comes first.
_FOLDERS = ("attributes", "_incubating/attributes")


def meaning(key: str) -> str | None:
    """The first paragraph that the conventions have about an attribute; None for what they do not know or deprecate."""
    return _meanings(key.partition(".")[0]).get(key)


@cache
def _meanings(namespace: str) -> dict[str, str]:
    # The files are read, not imported: there are many, and some warn when they are imported.
    package = importlib.util.find_spec("opentelemetry.semconv") if namespace.isidentifier() else None
    found: dict[str, str] = {}
    for root in (package.submodule_search_locations or ()) if package else ():
        for folder in _FOLDERS:
            file = Path(root) / folder / f"{namespace}_attributes.py"
            if file.is_file():
                found = {**_in(file.read_text(encoding="utf-8")), **found}
    return found


def _in(source: str) -> dict[str, str]:
    """The constants of a module, each with the text that stands under it."""
    body = ast.parse(source).body
    found: dict[str, str] = {}
    for statement, below in itertools.pairwise(body):
        match statement, below:
            case ast.AnnAssign(value=ast.Constant(value=str(key))), ast.Expr(value=ast.Constant(value=str(text))):
                first = " ".join(text.strip().partition("\nNote:")[0].partition("\n\n")[0].split())
                if first and not first.startswith("Deprecated"):
                    found[key] = first
    return found
