"""A first spec for a user's own code: a span for each callable that is worth one, with what its parameters show."""

from opentelemetry.instrumentation.declarative.inspection.scaffold.lookup import SketchError, look_up
from opentelemetry.instrumentation.declarative.inspection.scaffold.selection import selected
from opentelemetry.instrumentation.declarative.inspection.scaffold.spec_text import written

__all__ = ["SketchError", "sketch"]


def sketch(target: str, file: str | None = None) -> str:
    """The text of a spec for a module, class or callable, written as ``module`` or ``module:Class.method``.

    ``file`` is where it will lie, if that is known. Imports the module. Raises SketchError where nothing comes of it.
    """
    found = look_up(target)
    return written(found, selected(found), file)
