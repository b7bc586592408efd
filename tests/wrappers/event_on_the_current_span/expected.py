# target:retry
def retry(attempt, /, *, delay=...):
    if rule.on:  # spec.yaml:5  event retried
        try:
            try:
                when = attempt > 1
            except Exception:
                when = read_null_safe(attempt)
            if when:
                name = render_name('retry ', attempt)
                attributes = {'retry.attempt': attempt}
                add_event(current_span(), name, attributes)
        except Exception as failure:
            rule.failed(failure)
    return original(attempt, delay=delay)
