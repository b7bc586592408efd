# target:poll
async def poll():
    __tracebackhide__ = True
    if readings and is_own_reading():
        generator_2 = original()
        items_2 = []
        advance_2, value_2 = hide_from_event_loop(generator_2), None
        try:
            while True:
                items_2.append(await advance_2(value_2))
                try:
                    advance_2, value_2 = generator_2.asend, (yield items_2.pop())
                except BaseException as stop_3:
                    advance_2, value_2 = generator_2.athrow, without_own_frame(stop_3)
        except StopAsyncIteration:
            result_2 = None
        return
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
        begin_reading(None)
        instrument_is_reading = True
        try:
            recorded, draft = polled_spans.decide()
            if recorded:
                name = 'polled'
                attributes = {}
                polled_spans.record(draft, name, attributes)
        except Exception as failure:
            rule.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False

# target:read
async def read(path):
    __tracebackhide__ = True
    if readings and is_own_reading():
        generator_2 = original(path)
        items_2 = []
        advance_2, value_2 = hide_from_event_loop(generator_2), None
        try:
            while True:
                items_2.append(await advance_2(value_2))
                try:
                    advance_2, value_2 = generator_2.asend, (yield items_2.pop())
                except BaseException as stop_3:
                    advance_2, value_2 = generator_2.athrow, without_own_frame(stop_3)
        except StopAsyncIteration:
            result_2 = None
        return
    read_span = None
    try:
        if rule.on:  # spec.yaml:5  span read starts
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
            advance, value = hide_from_event_loop(generator), None
            try:
                while True:
                    token = enter_step(read_span, kept)
                    try:
                        items.append(await advance(value))
                    finally:
                        kept = leave_step(read_span, kept, token)
                        advance = value = None
                    try:
                        advance, value = generator.asend, (yield items.pop())
                    except BaseException as stop:
                        advance, value = generator.athrow, without_own_frame(stop)
            except StopAsyncIteration:
                result = None
        except BaseException as error:
            if read_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:5  span read ends
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
            try:  # spec.yaml:5  span read ends
                read_spans.leave(read_span)
            except Exception as failure:
                rule_2.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
    except BaseException as stop_2:
        read_spans.abandon(read_span, stop_2)
        raise
