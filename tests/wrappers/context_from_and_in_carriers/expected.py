# target:Inbox.receive
def receive(self, message, reply=...):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return original(self, message, reply)
    receive_span = None
    incoming_token = None
    incoming_context = None
    try:
        if rule.on:  # spec.yaml:6  extraction incoming
            begin_reading(None)
            instrument_is_reading = True
            try:
                try:
                    if read_null_safe.first:
                        carrier = read_null_safe.first(message)
                    else:
                        carrier = message.headers
                except Exception:
                    carrier = read_null_safe(message)
                incoming_context = context_of_call(carrier)
                incoming_token = attach_for_call(incoming_context)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        begin_reading(None)
        instrument_is_reading = True
        try:
            if rule_4.on:  # spec.yaml:10  span receive starts
                try:
                    recorded, draft = receive_spans.decide()
                    if recorded:
                        name = 'receive'
                        attributes = {}
                        receive_span = receive_spans.enter(draft, name, attributes)
                    elif draft is not None:
                        receive_span = receive_spans.enter_unrecorded(draft)
                    if receive_span is not None:
                        if rule_3.on:  # spec.yaml:10  span receive injects its context
                            try:
                                fields = injected_fields(with_span(receive_span.span))
                                if fields:
                                    try:
                                        if read_null_safe_2.first:
                                            carrier = read_null_safe_2.first(message)
                                        else:
                                            carrier = message.reply.headers
                                    except Exception:
                                        carrier = read_null_safe_2(message)
                                    written = with_headers(carrier, fields)
                                    if written is not carrier:
                                        message.reply.headers = written
                            except Exception as failure:
                                rule_3.failed(failure)
                except Exception as failure:
                    rule_4.failed(failure)
            if rule_5.on:  # spec.yaml:8  injection answer
                try:
                    found = current() or current_to_inject()
                    fields = injected_fields(found)
                    if fields:
                        carrier = reply
                        written = with_headers(carrier, fields)
                        reply = written
                except Exception as failure:
                    rule_5.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False
        try:
            result = original(self, message, reply)
        except BaseException as error:
            if receive_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:10  span receive ends
                    receive_spans.leave(receive_span, error)
                except Exception as failure:
                    rule_7.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            if incoming_token is not None:
                try:  # spec.yaml:6  extraction incoming
                    detach(incoming_token)
                except Exception as failure:
                    rule_2.failed(failure)
            raise
        if type(result) in unfollowed or not follows(result):
            if receive_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:10  span receive ends
                    receive_spans.leave(receive_span)
                except Exception as failure:
                    rule_6.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
        else:
            result = follow(result, receive_span, contexts=((incoming_token, incoming_context),))
        if incoming_token is not None:
            try:  # spec.yaml:6  extraction incoming
                detach(incoming_token)
            except Exception as failure:
                rule_2.failed(failure)
    except BaseException as stop:
        receive_spans.abandon(receive_span, stop)
        raise
    return result
