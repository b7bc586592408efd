"""The locations in code objects: which line, and which columns, each instruction is from."""

from __future__ import annotations

import sys
import types

if sys.version_info >= (3, 11):
    #: The first byte of an entry has this bit; its kind; and its length.
    _FIRST, _KIND, _LENGTH = 0x80, 0x78, 0x07
    #: The kinds of entries that have no location, and that have a line only, which follows as a difference.
    _NO_LOCATION, _LINE_ONLY = 15 << 3, 13 << 3
    _OTHER_BYTES = bytes(range(_FIRST))
    _ENTRIES = {
        byte: bytes([byte] if byte & _KIND == _NO_LOCATION else [byte & ~_KIND | _LINE_ONLY, 0])
        for byte in range(_FIRST, 256)
    }

    def _on_first_line(table: bytes) -> bytes:
        return b"".join(map(_ENTRIES.__getitem__, table.translate(None, _OTHER_BYTES)))

else:
    #: Of two bytes, the second one is the difference to the line before, or stands for no line.
    _NO_LINE = 0x80
    _DIFFERENCES = bytes(byte if byte == _NO_LINE else 0 for byte in range(256))

    def _on_first_line(table: bytes) -> bytes:
        changed = bytearray(table)
        changed[1::2] = table[1::2].translate(_DIFFERENCES)
        return bytes(changed)


def on_first_line(code: types.CodeType) -> types.CodeType:
    """The code, and that of the functions in it, with all instructions on its first line, without columns."""
    constants = tuple(on_first_line(each) if isinstance(each, types.CodeType) else each for each in code.co_consts)
    return code.replace(co_linetable=_on_first_line(code.co_linetable), co_firstlineno=1, co_consts=constants)
