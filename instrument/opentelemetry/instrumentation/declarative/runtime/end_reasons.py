"""Values of the attribute ``instrument.end``: why a span ended where its spec does not end it."""

from __future__ import annotations

#: The span was open when its spec was changed, and the new spec has no rule that ends it.
CHANGED = "changed"
#: The span was around a call whose result, such as a stream, the program dropped before it had finished.
DROPPED = "dropped"
#: The span was open when the process exited or the instrumentation was removed.
SHUTDOWN = "shutdown"
