"""``instrument init``: a first spec for the user's own code, with a span for each callable that is worth one."""

from collections.abc import Sequence

from opentelemetry.instrumentation.declarative.inspection.scaffold.lookup import ScaffoldError, look_up
from opentelemetry.instrumentation.declarative.inspection.scaffold.selection import select_callables
from opentelemetry.instrumentation.declarative.inspection.scaffold.spec_text import render_spec

__all__ = ["ScaffoldError", "scaffold_spec"]


def scaffold_spec(target: str, file: str | None = None, imports: Sequence[str] = ()) -> str:
    """Return the text of a spec for a module, class or callable, written as ``module`` or ``module:Class.method``.

    Imports the module. Raises ScaffoldError if the target cannot have spans.

    Args:
        file: where the spec will be saved, if known.
        imports: the modules that have been imported first, which the commands in the spec have to name.
    """
    found = look_up(target)
    return render_spec(found, select_callables(found), file, imports)
