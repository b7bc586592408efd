# target:Shop.pay
def pay(self, order_id, card):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return original(self, order_id, card)
    outer_span = current_span()
    try:
        result = original(self, order_id, card)
    except BaseException as error:
        if rule_2.on:  # spec.yaml:11  log record shop.refused
            begin_reading(None)
            instrument_is_reading = True
            try:
                if card is not None:
                    if log_is_enabled_2():
                        try:
                            if read_null_safe.first:
                                body, attributes = read_null_safe.first(error)
                            else:
                                body = str(error)
                                attributes = {}
                        except Exception:
                            body, attributes = read_null_safe(error)
                        emit_log_2(body, attributes, outer_span)
            except Exception as failure:
                rule_2.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        raise
    if type(result) in unfollowed or not follows(result):
        if rule.on:  # spec.yaml:10  log record shop.paid
            begin_reading(None)
            instrument_is_reading = True
            try:
                if log_is_enabled():
                    key = order_id
                    span = order_spans.find(key)
                    if span is not None:
                        body = result
                        attributes = {'shop.card': card}
                        emit_log(body, attributes, span)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
    else:
        result = follow(result, order_id, card, outer_span)
    return result

# target:Shop.order
def order(self, order_id):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return original(self, order_id)
    order_span = None
    try:
        if rule_2.on:  # spec.yaml:6  span order starts
            begin_reading(None)
            instrument_is_reading = True
            try:
                key = order_id
                recorded, draft = order_spans.decide()
                if recorded:
                    name = 'order'
                    attributes = {}
                    order_span = order_spans.enter(draft, name, attributes)
                elif draft is not None:
                    order_span = order_spans.enter_unrecorded(draft)
                if order_span is not None:
                    if rule.on:  # spec.yaml:8  the key of span order
                        try:
                            order_span = order_spans.register(key, order_span)
                        except Exception as failure:
                            rule.failed(failure)
            except Exception as failure:
                rule_2.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        try:
            result = original(self, order_id)
        except BaseException as error:
            if order_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:6  span order ends
                    order_spans.leave(order_span, error)
                except Exception as failure:
                    rule_4.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            raise
        if type(result) in unfollowed or not follows(result):
            if order_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:6  span order ends
                    order_spans.leave(order_span)
                except Exception as failure:
                    rule_3.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
        else:
            result = follow(result, order_span)
    except BaseException as stop:
        order_spans.abandon(order_span, stop)
        raise
    return result
