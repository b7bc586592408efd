# target:Shop.order
def order(self, order):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return original(self, order)
    order_span = None
    sender_token = None
    sender_value = None
    try:
        if rule_4.on:  # spec.yaml:10  span order starts
            begin_reading(None)
            instrument_is_reading = True
            try:
                try:
                    if read_null_safe_2.first:
                        key = read_null_safe_2.first(order)
                    else:
                        key = order.id
                except Exception:
                    key = read_null_safe_2(order)
                recorded, draft = order_spans.decide()
                if recorded:
                    name = 'order'
                    attributes = {}
                    order_span = order_spans.enter(draft, name, attributes)
                elif draft is not None:
                    order_span = order_spans.enter_unrecorded(draft)
                if order_span is not None:
                    if rule_3.on:  # spec.yaml:12  the key of span order
                        try:
                            order_span = order_spans.register(key, order_span)
                        except Exception as failure:
                            rule_3.failed(failure)
            except Exception as failure:
                rule_4.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        if rule.on:  # spec.yaml:7  context value sender
            begin_reading(None)
            instrument_is_reading = True
            try:
                try:
                    if read_null_safe.first:
                        value = read_null_safe.first(order)
                    else:
                        value = order.customer.name
                except Exception:
                    value = read_null_safe(order)
                sender_value = value
                sender_token = sender.set(sender_value)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        try:
            result = original(self, order)
        except BaseException as error:
            if sender_token is not None:
                try:  # spec.yaml:7  context value sender
                    detach(sender_token)
                except Exception as failure:
                    rule_2.failed(failure)
            if order_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:10  span order ends
                    if order_span.is_read:
                        parcels, = order_spans.counts_of(order_span.span, counts) if order_spans.counts else (0,)
                        attributes = {'shop.parcels': parcels}
                        order_spans.leave(order_span, error, attributes=attributes)
                    else:
                        order_spans.leave(order_span, error)
                except Exception as failure:
                    rule_6.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            raise
        if sender_token is not None:
            try:  # spec.yaml:7  context value sender
                detach(sender_token)
            except Exception as failure:
                rule_2.failed(failure)
        if type(result) in unfollowed or not follows(result):
            if order_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:10  span order ends
                    if order_span.is_read:
                        parcels, = order_spans.counts_of(order_span.span, counts) if order_spans.counts else (0,)
                        attributes = {'shop.parcels': parcels}
                        order_spans.leave(order_span, attributes=attributes)
                    else:
                        order_spans.leave(order_span)
                except Exception as failure:
                    rule_5.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
        else:
            result = follow(result, order_span, carried=((sender_token, sender_value),))
    except BaseException as stop:
        order_spans.abandon(order_span, stop)
        raise
    return result

# target:Shop.send
def send(self, order_id, parcel):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return original(self, order_id, parcel)
    parcel_sent_token = None
    parcel_sent_value = None
    begin_reading(None)
    instrument_is_reading = True
    try:
        if rule_3.on:  # spec.yaml:16  count parcels
            try:
                key = order_id
                order_spans.count(key, 'parcels')
            except Exception as failure:
                rule_3.failed(failure)
        if rule_4.on:  # spec.yaml:20  injection label
            try:
                parent_key = order_id
                span = span_in((None if parent_key is None else order_spans.context(parent_key)) or current())
                traceparent = traceparent_2(span)
                if traceparent is not None:
                    set_header(parcel.labels, 'traceparent', traceparent)
            except Exception as failure:
                rule_4.failed(failure)
    finally:
        end_reading()
        instrument_is_reading = False
    if rule_5.on:  # spec.yaml:21  injection sender
        begin_reading(None)
        instrument_is_reading = True
        try:
            value = sender.get()
            if value is not None:
                instrument_is_reading = 'writing'
                parcel.sender = value
        except Exception as failure:
            rule_5.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False
    if rule.on:  # spec.yaml:8  context value parcel_sent
        begin_reading(None)
        instrument_is_reading = True
        try:
            try:
                if read_null_safe.first:
                    when = read_null_safe.first(parcel)
                else:
                    when = compared_2 > 0 if type_of((compared_2 := parcel.weight)) is int_type or type_of(compared_2) is float_type else greater(compared_2, 0)
            except Exception:
                when = read_null_safe(parcel)
            if when:
                value = parcel
                parcel_sent_value = value
                parcel_sent_token = parcel_sent.set(parcel_sent_value)
        except Exception as failure:
            rule.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False
    try:
        result = original(self, order_id, parcel)
    except BaseException as error:
        if parcel_sent_token is not None:
            try:  # spec.yaml:8  context value parcel_sent
                detach(parcel_sent_token)
            except Exception as failure:
                rule_2.failed(failure)
        raise
    if parcel_sent_token is not None:
        try:  # spec.yaml:8  context value parcel_sent
            detach(parcel_sent_token)
        except Exception as failure:
            rule_2.failed(failure)
    if type(result) in unfollowed or not follows(result):
        if rule_6.on:  # spec.yaml:14  attribute group weight
            begin_reading(None)
            instrument_is_reading = True
            try:
                key = order_id
                span = order_spans.find(key)
                if span is not None and span.is_recording():
                    attributes = {'shop.last_weight': result}
                    set_attributes(span, attributes)
            except Exception as failure:
                rule_6.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
    else:
        result = follow(result, order_id, carried=((parcel_sent_token, parcel_sent_value),))
    return result
