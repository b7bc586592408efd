"""Exits of the process that skip its handlers, signals, and threads of this package."""
