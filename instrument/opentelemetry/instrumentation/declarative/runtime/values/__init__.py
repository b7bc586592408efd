"""Values of the program as OpenTelemetry records them."""
