"""The specs of this process: the instrumentor that OpenTelemetry loads, installation, reload and watch."""
