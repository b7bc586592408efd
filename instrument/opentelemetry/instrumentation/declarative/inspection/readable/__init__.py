"""What can be read from a value of a type: its names and theirs, from annotations and the source of ``__init__``.

For the command line only. It reads sources, and nothing of it is loaded in a traced process.
"""

from opentelemetry.instrumentation.declarative.inspection.readable.callable_types import CallableTypes, callable_types
from opentelemetry.instrumentation.declarative.inspection.readable.paths import ReadablePath, readable_paths
from opentelemetry.instrumentation.declarative.inspection.readable.types import UNKNOWN, Type, of_class

__all__ = [
    "UNKNOWN",
    "CallableTypes",
    "ReadablePath",
    "Type",
    "callable_types",
    "of_class",
    "readable_paths",
]
