"""Patches of callables: import hooks, patch points, pattern matching and exact removal."""
