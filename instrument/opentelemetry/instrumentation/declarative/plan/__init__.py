"""The plan of a spec: for each callable, the actions at each stage of its calls, in order.

Planning imports neither the library nor OpenTelemetry. It finds every problem that can be found without the library;
whether parameters exist is checked when a wrapper is made, which knows the signature.
"""
