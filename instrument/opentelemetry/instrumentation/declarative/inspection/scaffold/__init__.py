"""``instrument init``: a first spec for the user's own code, with a span for each callable that is worth one."""

from opentelemetry.instrumentation.declarative.inspection.scaffold.lookup import ScaffoldError, look_up
from opentelemetry.instrumentation.declarative.inspection.scaffold.selection import select_callables
from opentelemetry.instrumentation.declarative.inspection.scaffold.spec_text import render_spec

__all__ = ["ScaffoldError", "scaffold_spec"]


def scaffold_spec(target: str, file: str | None = None) -> str:
    """Return the text of a spec for a module, class or callable, written as ``module`` or ``module:Class.method``.

    Imports the module. ``file`` is where the spec will be saved, if known. Raises ScaffoldError if the target cannot
    have spans.
    """
    found = look_up(target)
    return render_spec(found, select_callables(found), file)
