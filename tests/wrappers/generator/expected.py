# target:read
def read(path):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return (yield from original(path))
    read_span = None
    try:
        if rule.on:  # spec.yaml:4  span read starts
            begin_reading(None)
            instrument_is_reading = True
            try:
                recorded, draft = read_spans.decide()
                if recorded:
                    name = 'read'
                    attributes = {'reader.path': path}
                    read_span = read_spans.enter(draft, name, attributes, current=False)
                elif draft is not None:
                    read_span = read_spans.enter_unrecorded(draft, current=False)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        try:
            generator = original(path)
            kept = None
            items = []
            advance, value = generator.send, None
            try:
                while True:
                    token = enter_step(read_span, kept)
                    try:
                        items.append(advance(value))
                    finally:
                        kept = leave_step(read_span, kept, token)
                        advance = value = None
                    try:
                        advance, value = generator.send, (yield items.pop())
                    except BaseException as stop:
                        advance, value = generator.throw, without_own_frame(stop)
            except StopIteration as stop:
                result = stop.value
        except BaseException as error:
            if read_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:4  span read ends
                    read_spans.leave(read_span, error)
                except Exception as failure:
                    rule_3.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            raise
        if read_span is not None:
            begin_reading(None)
            instrument_is_reading = True
            try:  # spec.yaml:4  span read ends
                if read_span.is_read:
                    attributes = {'reader.lines': result}
                    read_spans.leave(read_span, attributes=attributes)
                else:
                    read_spans.leave(read_span)
            except Exception as failure:
                rule_2.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
    except BaseException as stop_2:
        read_spans.abandon(read_span, stop_2)
        raise
    return result
