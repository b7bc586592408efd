# target:wait
def call(wrapped, instance, args, kwargs):
    seconds = unit = None
    if rule_4.on:  # spec.yaml:4  the arguments of hook target:wait
        try:
            seconds, unit = bind(args, kwargs, instance)
        except Exception as failure:
            rule_4.failed(failure)
    wait_span = None
    try:
        if rule.on:  # spec.yaml:4  span wait starts
            try:
                name = 'wait'
                attributes = {'clock.seconds': seconds}
                wait_span = wait_spans.enter(name, attributes)
            except Exception as failure:
                rule.failed(failure)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            if wait_span is not None:
                try:  # spec.yaml:4  span wait ends
                    wait_spans.leave(wait_span, error)
                except Exception as failure:
                    rule_3.failed(failure)
            raise
        if wait_span is not None:
            try:  # spec.yaml:4  span wait ends
                wait_spans.leave(wait_span)
            except Exception as failure:
                rule_2.failed(failure)
    except BaseException as stop:
        wait_spans.abandon(wait_span, stop)
        raise
    return result
