"""Which spans are recorded: what samplers decide, whole conversations, and the ``sample`` of a span type."""
