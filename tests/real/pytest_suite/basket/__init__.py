"""A library whose author traces its test suite."""
