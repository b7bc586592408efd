# target:read
def read(parts):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return original(parts)
    collected = None
    collected = new_collected()
    read_span = None
    last_item = None
    try:
        if rule.on:  # spec.yaml:8  span read starts
            begin_reading(None)
            instrument_is_reading = True
            try:
                recorded, draft = read_spans.decide()
                if recorded:
                    name = 'read'
                    attributes = {}
                    read_span = read_spans.enter(draft, name, attributes)
                elif draft is not None:
                    read_span = read_spans.enter_unrecorded(draft)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        try:
            result = original(parts)
        except BaseException as error:
            text_2 = collected_value(collected, 0)
            parts_3 = collected_value(collected, 1)
            if read_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:8  span read ends
                    if read_span.is_read:
                        attributes = {'shop.text': text_2, 'shop.parts': parts_3}
                        read_spans.leave(read_span, error, attributes=attributes)
                    else:
                        read_spans.leave(read_span, error)
                except Exception as failure:
                    rule_5.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            raise
        if type(result) in unfollowed or not follows(result):
            text = collected_value(collected, 0)
            parts_2 = collected_value(collected, 1)
            if read_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:8  span read ends
                    if read_span.is_read:
                        attributes = {'shop.text': text, 'shop.parts': parts_2}
                        read_spans.leave(read_span, attributes=attributes)
                    else:
                        read_spans.leave(read_span)
                except Exception as failure:
                    rule_4.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
        else:
            result = follow(result, read_span, collected)
    except BaseException as stop:
        read_spans.abandon(read_span, stop)
        raise
    return result
