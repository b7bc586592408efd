"""Finding callables: in modules, classes and functions, below decorators, and by patterns."""
