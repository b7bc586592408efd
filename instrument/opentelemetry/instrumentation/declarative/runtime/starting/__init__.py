"""How spans start: quickly with the tracer of the SDK, and as usual with any other."""
