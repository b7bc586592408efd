"""What an expression cannot read: a variable of a module."""

import sys


def argv() -> list[str]:
    return sys.argv
