"""The formats of spans: files, pipes, and what an OTLP endpoint receives. Each becomes the same kind of span."""
