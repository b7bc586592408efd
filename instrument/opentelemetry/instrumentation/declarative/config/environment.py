"""The environment variables. OpenTelemetry makes those with the prefix ``OTEL_`` flags of ``opentelemetry-instrument``.

It loads this module by its entry point and takes the names of the constants.
"""

#: Spec files to add, separated by commas.
OTEL_PYTHON_DECLARATIVE_SPECS = "OTEL_PYTHON_DECLARATIVE_SPECS"

#: The names of shipped specs that are not active, separated by commas.
OTEL_PYTHON_DECLARATIVE_DISABLED_SPECS = "OTEL_PYTHON_DECLARATIVE_DISABLED_SPECS"

#: How content is recorded if it is recorded at all: full (default), truncate:N, sha256.
OTEL_PYTHON_DECLARATIVE_CONTENT = "OTEL_PYTHON_DECLARATIVE_CONTENT"

#: Whether changed spec files are reloaded while the program runs: 1 or 0 (default).
OTEL_PYTHON_DECLARATIVE_WATCH = "OTEL_PYTHON_DECLARATIVE_WATCH"

#: The file for the report, or - for standard error; and the signal on which it is written too, or none.
OTEL_PYTHON_DECLARATIVE_REPORT = "OTEL_PYTHON_DECLARATIVE_REPORT"
OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL = "OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL"

#: Whether telemetry is completed when a signal ends the process: 1 (default) or 0.
OTEL_PYTHON_DECLARATIVE_FLUSH_ON_SIGNAL = "OTEL_PYTHON_DECLARATIVE_FLUSH_ON_SIGNAL"

#: Whether spans that cost less than the SDK's are used where that is possible: 1 (default) or 0.
OTEL_PYTHON_DECLARATIVE_LIGHT_SPANS = "OTEL_PYTHON_DECLARATIVE_LIGHT_SPANS"

#: Whether the process answers ``instrument status`` with its open spans: 1 or 0 (default).
OTEL_PYTHON_DECLARATIVE_STATUS = "OTEL_PYTHON_DECLARATIVE_STATUS"

#: After how many seconds an open span gets a pending record, or none (default).
OTEL_PYTHON_DECLARATIVE_PENDING_AFTER = "OTEL_PYTHON_DECLARATIVE_PENDING_AFTER"

#: The file to which the exporter ``jsonl`` writes; spans.jsonl by default.
OTEL_PYTHON_DECLARATIVE_SPANS_FILE = "OTEL_PYTHON_DECLARATIVE_SPANS_FILE"

#: OpenTelemetry's switch for content: NO_CONTENT (default), SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT.
CAPTURE_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

#: OpenTelemetry's list of instrumentations that are not active.
DISABLED_INSTRUMENTATIONS = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"

#: OpenTelemetry's configuration file.
CONFIG_FILE = "OTEL_CONFIG_FILE"

#: The flags of ``instrument run``, as JSON. Set by that command only.
RUN_FLAGS = "OTEL_PYTHON_DECLARATIVE_RUN_FLAGS"
