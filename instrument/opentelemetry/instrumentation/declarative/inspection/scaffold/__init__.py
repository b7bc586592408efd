"""``instrument init``: a first spec for the user's own code, with a span for each callable that is worth one."""

from collections.abc import Sequence

from opentelemetry.instrumentation.declarative.inspection.scaffold.lookup import ScaffoldError, look_up
from opentelemetry.instrumentation.declarative.inspection.scaffold.selection import select_callables
from opentelemetry.instrumentation.declarative.inspection.scaffold.spec_text import render_spec

__all__ = ["ScaffoldError", "scaffold_spec"]


def scaffold_spec(*targets: str, file: str | None = None, imports: Sequence[str] = ()) -> str:
    """Return the text of a spec for modules, classes or callables, written as ``module`` or ``module:Class.method``.

    Imports the modules. Raises ScaffoldError if a target cannot have spans.

    Args:
        file: where the spec will be saved, if known.
        imports: the modules that have been imported first, which the commands in the spec have to name.
    """
    found = [*map(look_up, targets)]
    return render_spec(found, select_callables(found), file, imports)
