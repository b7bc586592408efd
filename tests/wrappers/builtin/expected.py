# target:wait
def call(wrapped, instance, args, kwargs):
    seconds = unit = None
    if rule_4.on:  # spec.yaml:4  the call's arguments
        try:
            seconds, unit = bind(args, kwargs, instance)
        except Exception as mistake:
            rule_4.failed(mistake)
    wait_span = None
    try:
        if rule.on:  # spec.yaml:4  span wait starts
            try:
                name = 'wait'
                attributes = {'clock.seconds': seconds}
                wait_span = wait_spans.enter(name, attributes)
            except Exception as mistake:
                rule.failed(mistake)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            if wait_span is not None:
                try:  # spec.yaml:4  span wait ends
                    wait_spans.leave(wait_span, error)
                except Exception as mistake:
                    rule_3.failed(mistake)
            raise
        if wait_span is not None:
            try:  # spec.yaml:4  span wait ends
                wait_spans.leave(wait_span)
            except Exception as mistake:
                rule_2.failed(mistake)
    except BaseException as stop:
        wait_spans.abandon(wait_span, stop)
        raise
    return result
