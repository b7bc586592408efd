"""What can be read from a value of a type: its names, and theirs, as annotations and the source of ``__init__`` tell.

For the command line only: it imports ``typing`` and reads sources, and nothing of it is loaded in a traced process.
"""

from opentelemetry.instrumentation.declarative.inspection.readable.callable_types import Readable, readable_of
from opentelemetry.instrumentation.declarative.inspection.readable.paths import Entry, entries
from opentelemetry.instrumentation.declarative.inspection.readable.types import UNKNOWN, Type, of_class

__all__ = [
    "UNKNOWN",
    "Entry",
    "Readable",
    "Type",
    "entries",
    "of_class",
    "readable_of",
]
