"""Prints what MLflow has received, as JSON. It runs in MLflow's environment: read_mlflow.py URL EXPERIMENT."""

import json
import sys

import mlflow

mlflow.set_tracking_uri(sys.argv[1])
found = mlflow.MlflowClient().search_traces(locations=[sys.argv[2]], include_spans=True, max_results=200)
traces = [
    {
        "state": trace.info.state.value,
        "session": trace.info.trace_metadata.get("mlflow.trace.session"),
        "tokens": json.loads(trace.info.trace_metadata.get("mlflow.trace.tokenUsage", "{}")),
        "request": trace.info.request_preview,
        "response": trace.info.response_preview,
        "spans": [
            {
                "name": span.name,
                "type": span.span_type,
                "status": span.status.status_code.value,
                "id": span.span_id,
                "links": {link.span_id: link.attributes for link in span.links},
            }
            for span in trace.data.spans
        ],
    }
    for trace in found
]
print(json.dumps(traces))
