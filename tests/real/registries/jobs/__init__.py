"""Functions that others hold and call: registries, schedulers, handlers, validators."""
