# target:retry
def retry(attempt, /, *, delay=...):
    __tracebackhide__ = True
    if (type(attempt) is int_type or type(attempt) is float_type) and not attempt > 1:
        return original(attempt, delay=delay)
    if readings and is_own_reading():
        return original(attempt, delay=delay)
    if current_context():
        if rule.on:  # spec.yaml:7  event retried
            begin_reading(None)
            instrument_is_reading = True
            try:
                try:
                    if read_null_safe.first:
                        when = read_null_safe.first(attempt)
                    else:
                        when = attempt > 1 if type_of(attempt) is int_type or type_of(attempt) is float_type else greater(attempt, 1)
                except Exception:
                    when = read_null_safe(attempt)
                if when:
                    name = render_name('retry ', attempt)
                    attributes = {'retry.attempt': attempt}
                    add_event(current_span(), name, attributes)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
    return original(attempt, delay=delay)
