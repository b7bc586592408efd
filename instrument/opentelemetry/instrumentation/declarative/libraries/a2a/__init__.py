"""The functions of the spec of the A2A SDK: the metadata of a call over gRPC."""
