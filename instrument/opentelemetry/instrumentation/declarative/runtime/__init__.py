"""What a call of an instrumented callable touches: spans, context, values, and the guard around our own mistakes."""
