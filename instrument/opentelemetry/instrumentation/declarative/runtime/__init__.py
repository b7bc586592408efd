"""What generated wrappers use at run time: spans, context, attribute values, metrics, and isolation of failures."""
