"""The environment variables; as an entry point of OpenTelemetry they become flags of ``opentelemetry-instrument``."""

#: Spec files to be added, separated by commas.
OTEL_PYTHON_DECLARATIVE_SPECS = "OTEL_PYTHON_DECLARATIVE_SPECS"

#: How content is recorded where it may be: full (default), truncate:N, sha256.
OTEL_PYTHON_DECLARATIVE_CONTENT = "OTEL_PYTHON_DECLARATIVE_CONTENT"

#: OpenTelemetry's switch for content: NO_CONTENT (default), SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT.
CAPTURE_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
