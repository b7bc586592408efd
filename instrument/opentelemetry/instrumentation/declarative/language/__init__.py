"""A spec as it is written: YAML with positions, the schema, the layers, the model."""
