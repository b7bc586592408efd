"""Libraries that OpenTelemetry has an instrumentation for, traced by a spec instead, and compared with it.

Each folder has a ``spec.yaml``, a ``program.py`` with a function ``main``, and a ``library.yaml`` that names the
library, OpenTelemetry's instrumentation of it and the known differences. ``make test-libraries`` runs them, each in an
environment of its own.
"""
