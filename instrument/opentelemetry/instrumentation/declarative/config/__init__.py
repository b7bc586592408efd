"""The settings of a process: options from Python, OpenTelemetry's configuration file and the environment."""
