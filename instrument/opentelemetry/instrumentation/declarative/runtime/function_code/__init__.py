"""Putting code in place of that of a function."""
