# target:Bus.send
async def send(self, message):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return await original(self, message)
    if rule_2.on:  # spec.yaml:13  span message starts
        begin_reading(None)
        instrument_is_reading = True
        try:
            try:
                if read_null_safe_3.first:
                    when = read_null_safe_3.first(message)
                else:
                    when = not present(message.internal)
            except Exception:
                when = read_null_safe_3(message)
            if when:
                span = None
                try:
                    if read_null_safe_2.first:
                        key = read_null_safe_2.first(message)
                    else:
                        key = message.id
                except Exception:
                    key = read_null_safe_2(message)
                if key is None:
                    raise missing_key()
                recorded, draft = message_spans.decide(root)
                if recorded:
                    try:
                        if read_null_safe.first:
                            name, attributes, link_key = read_null_safe.first(message)
                        else:
                            name = render_name('message ', message.kind)
                            attributes = {'bus.topic': message.topic}
                            link_key = message.reply_to
                    except Exception:
                        name, attributes, link_key = read_null_safe(message)
                    links = [
                        (None if link_key is None else message_spans.link(link_key, in_reply_to)),
                        (current_link(triggered_by) if current_context() else None),
                    ]
                    span = message_spans.begin(key, draft, name, attributes, parent=root, links=links)
                elif draft is not None:
                    span = message_spans.keep_open(key, draft)
                if span is not None:
                    if rule.on:  # spec.yaml:15  span message injects traceparent
                        try:
                            traceparent = traceparent_2(span)
                            if traceparent is not None:
                                message.trace = traceparent
                        except Exception as failure:
                            rule.failed(failure)
        except Exception as failure:
            rule_2.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False
    return await original(self, message)

# target:Bus.deliver
async def deliver(self, message):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return await original(self, message)
    try:
        result = await original(self, message)
    except BaseException as error:
        begin_reading(None)
        instrument_is_reading = True
        try:  # spec.yaml:14  span message ends
            try:
                if read_null_safe_5.first:
                    key = read_null_safe_5.first(message)
                else:
                    key = message.id
            except Exception:
                key = read_null_safe_5(message)
            span = message_spans.take(key)
            if span is not None:
                unread = None
                if message_spans.unread:
                    try:
                        if read_null_safe_4.first:
                            late = read_null_safe_4.first(message)
                        else:
                            late = {'bus.topic': message.topic}
                    except Exception:
                        late = read_null_safe_4(message)
                    unread = late
                message_spans.end(span, error, unread=unread)
        except Exception as failure:
            rule_2.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False
        raise
    begin_reading(None)
    instrument_is_reading = True
    try:  # spec.yaml:14  span message ends
        try:
            if read_null_safe_3.first:
                key = read_null_safe_3.first(message)
            else:
                key = message.id
        except Exception:
            key = read_null_safe_3(message)
        span = message_spans.take(key)
        if span is not None:
            try:
                if read_null_safe_2.first:
                    attributes, status = read_null_safe_2.first(result)
                else:
                    attributes = {'bus.failures': result or None}
                    status = text(result, ' failure(s)') if present(result) else None
            except Exception:
                attributes, status = read_null_safe_2(result)
            unread = None
            if message_spans.unread:
                try:
                    if read_null_safe.first:
                        late = read_null_safe.first(message)
                    else:
                        late = {'bus.topic': message.topic}
                except Exception:
                    late = read_null_safe(message)
                unread = late
            message_spans.end(span, attributes=attributes, status=status, unread=unread)
    except Exception as failure:
        rule.failed(failure)
    finally:
        end_reading()
        instrument_is_reading = False
    return result
