"""The environment variables; as an entry point of OpenTelemetry they become flags of ``opentelemetry-instrument``."""

#: Spec files to be added, separated by commas.
OTEL_PYTHON_DECLARATIVE_SPECS = "OTEL_PYTHON_DECLARATIVE_SPECS"

#: How content is recorded where it may be: full (default), truncate:N, sha256.
OTEL_PYTHON_DECLARATIVE_CONTENT = "OTEL_PYTHON_DECLARATIVE_CONTENT"

#: Whether specs are looked at for changes and taken up while the program runs: 1 or 0 (default).
OTEL_PYTHON_DECLARATIVE_WATCH = "OTEL_PYTHON_DECLARATIVE_WATCH"
#: Where to write what the rules really did: a file, or - for standard error; and the signal on which (or none).
OTEL_PYTHON_DECLARATIVE_REPORT = "OTEL_PYTHON_DECLARATIVE_REPORT"
OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL = "OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL"

#: OpenTelemetry's switch for content: NO_CONTENT (default), SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT.
CAPTURE_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

#: OpenTelemetry's configuration file. Not ours to be a flag: OpenTelemetry has it.
CONFIG_FILE = "OTEL_CONFIG_FILE"
