# target:retry
def retry(attempt, /, *, delay=...):
    if rule.on:  # spec.yaml:5  event retried
        try:
            try:
                when = attempt > 1
            except Exception:
                when = careful(attempt)
            if when:
                name = title('retry ', attempt)
                attributes = {'retry.attempt': attempt}
                pin(current_span(), name, attributes)
        except Exception as mistake:
            rule.failed(mistake)
    return original(attempt, delay=delay)
