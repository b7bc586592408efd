"""What the spec of the A2A SDK needs beyond YAML: the metadata of a call over gRPC."""
