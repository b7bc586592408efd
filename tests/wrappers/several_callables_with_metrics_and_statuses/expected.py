# target:Cart.pay
def pay(self, amount, currency=...):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return original(self, amount, currency)
    pay_span = None
    try:
        if rule.on:  # spec.yaml:5  span pay starts
            begin_reading(None)
            instrument_is_reading = True
            try:
                recorded, draft = pay_spans.decide()
                if recorded:
                    try:
                        if read_null_safe.first:
                            name, attributes = read_null_safe.first(currency, hooked)
                        else:
                            name = render_name(hooked.path)
                            attributes = {'pay.currency': currency}
                    except Exception:
                        name, attributes = read_null_safe(currency, hooked)
                    pay_span = pay_spans.enter(draft, name, attributes)
                elif draft is not None:
                    pay_span = pay_spans.enter_unrecorded(draft)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        if current_context():
            if rule_2.on:  # spec.yaml:16  attribute group amount
                begin_reading(None)
                instrument_is_reading = True
                try:
                    attributes = {'pay.amount': amount}
                    set_attributes(current_span(), attributes)
                except Exception as failure:
                    rule_2.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
        try:
            result = original(self, amount, currency)
        except BaseException as error:
            if pay_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:5  span pay ends
                    if pay_span.is_read:
                        ok = True
                        pay_spans.leave(pay_span, error, status=first_status(error, (True, None, ok, False)))
                    else:
                        pay_spans.leave(pay_span, error)
                except Exception as failure:
                    rule_5.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            raise
        if type(result) in unfollowed or not follows(result):
            begin_reading(None)
            instrument_is_reading = True
            try:
                if rule_3.on:  # spec.yaml:18  metric pay.amount
                    try:
                        if instrument._real_instrument is not None:
                            value = result
                            attributes = {'pay.currency': currency}
                            measure(value, attributes)
                    except Exception as failure:
                        rule_3.failed(failure)
                if pay_span is not None:
                    try:  # spec.yaml:5  span pay ends
                        if pay_span.is_read:
                            try:
                                if read_null_safe_2.first:
                                    applies, status, ok = read_null_safe_2.first(result)
                                else:
                                    applies = result == 0 if type_of(result) is int_type or type_of(result) is float_type else equal(result, 0)
                                    status = 'refund' if (result < 0 if type_of(result) is int_type or type_of(result) is float_type else less(result, 0)) else None
                                    ok = True
                            except Exception:
                                applies, status, ok = read_null_safe_2(result)
                            pay_spans.leave(pay_span, status=first_status(None, (applies, None, None, True), (True, status, None, False), (True, None, ok, False)))
                        else:
                            pay_spans.leave(pay_span)
                    except Exception as failure:
                        rule_4.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        else:
            result = follow(result, pay_span, currency)
    except BaseException as stop:
        pay_spans.abandon(pay_span, stop)
        raise
    return result

# target:Till.pay
async def pay(self, amount):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return await original(self, amount)
    pay_span = None
    try:
        if rule.on:  # spec.yaml:5  span pay starts
            begin_reading(None)
            instrument_is_reading = True
            try:
                recorded, draft = pay_spans.decide()
                if recorded:
                    try:
                        if read_null_safe.first:
                            name, attributes = read_null_safe.first(hooked)
                        else:
                            name = render_name(hooked.path)
                            attributes = {}
                    except Exception:
                        name, attributes = read_null_safe(hooked)
                    pay_span = pay_spans.enter(draft, name, attributes)
                elif draft is not None:
                    pay_span = pay_spans.enter_unrecorded(draft)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        if current_context():
            if rule_2.on:  # spec.yaml:16  attribute group amount
                begin_reading(None)
                instrument_is_reading = True
                try:
                    attributes = {'pay.amount': amount}
                    set_attributes(current_span(), attributes)
                except Exception as failure:
                    rule_2.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
        try:
            result = await original(self, amount)
        except BaseException as error:
            if pay_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:5  span pay ends
                    if pay_span.is_read:
                        ok = True
                        pay_spans.leave(pay_span, error, status=first_status(error, (True, None, ok, False)))
                    else:
                        pay_spans.leave(pay_span, error)
                except Exception as failure:
                    rule_5.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            raise
        begin_reading(None)
        instrument_is_reading = True
        try:
            if rule_3.on:  # spec.yaml:18  metric pay.amount
                try:
                    if instrument._real_instrument is not None:
                        value = result
                        measure(value, {})
                except Exception as failure:
                    rule_3.failed(failure)
            if pay_span is not None:
                try:  # spec.yaml:5  span pay ends
                    if pay_span.is_read:
                        try:
                            if read_null_safe_2.first:
                                applies, status, ok = read_null_safe_2.first(result)
                            else:
                                applies = result == 0 if type_of(result) is int_type or type_of(result) is float_type else equal(result, 0)
                                status = 'refund' if (result < 0 if type_of(result) is int_type or type_of(result) is float_type else less(result, 0)) else None
                                ok = True
                        except Exception:
                            applies, status, ok = read_null_safe_2(result)
                        pay_spans.leave(pay_span, status=first_status(None, (applies, None, None, True), (True, status, None, False), (True, None, ok, False)))
                    else:
                        pay_spans.leave(pay_span)
                except Exception as failure:
                    rule_4.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False
    except BaseException as stop:
        pay_spans.abandon(pay_span, stop)
        raise
    return result
