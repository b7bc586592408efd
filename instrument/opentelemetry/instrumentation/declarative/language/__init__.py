"""Reads specs: YAML with positions, validation against the schema, layers, and the model."""
