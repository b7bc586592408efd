# target:poll
async def poll():
    generator = original()
    items = []
    advance, value = hide_from_event_loop(generator), None
    try:
        while True:
            items.append(await advance(value))
            try:
                advance, value = generator.asend, (yield items.pop())
            except BaseException as stop:
                advance, value = generator.athrow, without_own_frame(stop)
    except StopAsyncIteration:
        result = None
    if rule.on:  # spec.yaml:6  span polled
        try:
            name = 'polled'
            attributes = {}
            polled_spans.record(name, attributes)
        except Exception as failure:
            rule.failed(failure)

# target:read
async def read(path):
    read_span = None
    try:
        if rule.on:  # spec.yaml:5  span read starts
            try:
                name = 'read'
                attributes = {'reader.path': path}
                read_span = read_spans.enter(name, attributes, current=False)
            except Exception as failure:
                rule.failed(failure)
        try:
            generator = original(path)
            items = []
            advance, value = hide_from_event_loop(generator), None
            try:
                while True:
                    token = enter_step(read_span)
                    try:
                        items.append(await advance(value))
                    finally:
                        leave_step(token)
                        advance = value = None
                    try:
                        advance, value = generator.asend, (yield items.pop())
                    except BaseException as stop:
                        advance, value = generator.athrow, without_own_frame(stop)
            except StopAsyncIteration:
                result = None
        except BaseException as error:
            if read_span is not None:
                try:  # spec.yaml:5  span read ends
                    read_spans.leave(read_span, error)
                except Exception as failure:
                    rule_3.failed(failure)
            raise
        if read_span is not None:
            try:  # spec.yaml:5  span read ends
                read_spans.leave(read_span)
            except Exception as failure:
                rule_2.failed(failure)
    except BaseException as stop_2:
        read_spans.abandon(read_span, stop_2)
        raise
