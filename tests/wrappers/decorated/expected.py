# target:pay
def pay(*args, **kwargs):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return original(*args, **kwargs)
    order = amount = unbound = None
    if rule_5.on:  # spec.yaml:4  the arguments of hook target:pay
        begin_reading(None)
        instrument_is_reading = True
        try:
            try:
                order, amount = bind(*args, **kwargs)
            except TypeError as mismatch:
                unbound = mismatch.with_traceback(None)
        except Exception as failure:
            rule_5.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False
    pay_span = None
    try:
        if rule_2.on:  # spec.yaml:4  span pay starts
            begin_reading(None)
            instrument_is_reading = True
            try:
                try:
                    if read_null_safe.first:
                        key = read_null_safe.first(order)
                    else:
                        key = order.id
                except Exception:
                    key = read_null_safe(order)
                recorded, draft = pay_spans.decide()
                if recorded:
                    name = 'pay'
                    attributes = {'shop.amount': amount}
                    pay_span = pay_spans.enter(draft, name, attributes)
                elif draft is not None:
                    pay_span = pay_spans.enter_unrecorded(draft)
                if pay_span is not None:
                    if rule.on:  # spec.yaml:4  the key of span pay
                        try:
                            pay_span = pay_spans.register(key, pay_span)
                        except Exception as failure:
                            rule.failed(failure)
            except Exception as failure:
                rule_2.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            if pay_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:4  span pay ends
                    pay_spans.leave(pay_span, error)
                except Exception as failure:
                    rule_4.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            raise
        if unbound is not None:
            rule_5.failed(unbound)
        if type(result) in unfollowed or not follows(result):
            if pay_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:4  span pay ends
                    pay_spans.leave(pay_span)
                except Exception as failure:
                    rule_3.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
        else:
            result = follow(result, pay_span)
    except BaseException as stop:
        pay_spans.abandon(pay_span, stop)
        raise
    return result
