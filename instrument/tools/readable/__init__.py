"""What can be read from a value of a type: its names, and theirs, as annotations and the source of ``__init__`` tell.

For the command line only: it imports ``typing`` and reads sources, and nothing of it is loaded in a traced process.
"""

from instrument.tools.readable.callables import Readable, readable_of
from instrument.tools.readable.never import Never, never_readable, type_of
from instrument.tools.readable.paths import Entry, entries
from instrument.tools.readable.types import UNKNOWN, Type, of_class

__all__ = [
    "UNKNOWN",
    "Entry",
    "Never",
    "Readable",
    "Type",
    "entries",
    "never_readable",
    "of_class",
    "readable_of",
    "type_of",
]
