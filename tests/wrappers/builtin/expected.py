# target:wait
def call(wrapped, instance, args, kwargs):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return wrapped(*args, **kwargs)
    seconds = unit = unbound = None
    if rule_4.on:  # spec.yaml:4  the arguments of hook target:wait
        begin_reading(None)
        instrument_is_reading = True
        try:
            try:
                seconds, unit = bind(args, kwargs, instance)
            except TypeError as mismatch:
                unbound = mismatch.with_traceback(None)
        except Exception as failure:
            rule_4.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False
    wait_span = None
    try:
        if rule.on:  # spec.yaml:4  span wait starts
            begin_reading(None)
            instrument_is_reading = True
            try:
                recorded, draft = wait_spans.decide()
                if recorded:
                    name = 'wait'
                    attributes = {'clock.seconds': seconds}
                    wait_span = wait_spans.enter(draft, name, attributes)
                elif draft is not None:
                    wait_span = wait_spans.enter_unrecorded(draft)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            if wait_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:4  span wait ends
                    wait_spans.leave(wait_span, error)
                except Exception as failure:
                    rule_3.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            raise
        if unbound is not None:
            rule_4.failed(unbound)
        if type(result) in unfollowed or not follows(result):
            if wait_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:4  span wait ends
                    wait_spans.leave(wait_span)
                except Exception as failure:
                    rule_2.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
        else:
            result = follow(result, wait_span)
    except BaseException as stop:
        wait_spans.abandon(wait_span, stop)
        raise
    return result
