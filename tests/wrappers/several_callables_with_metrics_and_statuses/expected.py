# target:Cart.pay
def pay(self, amount, currency=...):
    pay_span = None
    try:
        if rule.on:  # spec.yaml:5  span pay starts
            try:
                try:
                    name = render_name(hooked.path)
                    attributes = {'pay.currency': currency}
                except Exception:
                    name, attributes = read_null_safe(currency)
                pay_span = pay_spans.enter(name, attributes)
            except Exception as failure:
                rule.failed(failure)
        if rule_2.on:  # spec.yaml:14  update amount
            try:
                attributes = {'pay.amount': amount}
                set_attributes(current_span(), attributes)
            except Exception as failure:
                rule_2.failed(failure)
        try:
            result = original(self, amount, currency)
        except BaseException as error:
            if pay_span is not None:
                try:  # spec.yaml:5  span pay ends
                    ok = True
                    pay_spans.leave(pay_span, error, status=first_status(error, (True, None, ok, False)))
                except Exception as failure:
                    rule_5.failed(failure)
            raise
        if rule_3.on:  # spec.yaml:16  metric pay.amount
            try:
                value = result
                attributes = {'pay.currency': currency}
                measure(value, attributes)
            except Exception as failure:
                rule_3.failed(failure)
        if pay_span is not None:
            try:  # spec.yaml:5  span pay ends
                try:
                    applies = result == 0
                    status = 'refund' if result < 0 else None
                    ok = True
                except Exception:
                    applies, status, ok = read_null_safe_2(result)
                pay_spans.leave(pay_span, status=first_status(None, (applies, None, None, True), (True, status, None, False), (True, None, ok, False)))
            except Exception as failure:
                rule_4.failed(failure)
    except BaseException as stop:
        pay_spans.abandon(pay_span, stop)
        raise
    return result

# target:Till.pay
async def pay(self, amount):
    pay_span = None
    try:
        if rule.on:  # spec.yaml:5  span pay starts
            try:
                try:
                    name = render_name(hooked.path)
                    attributes = {}
                except Exception:
                    name, attributes = read_null_safe()
                pay_span = pay_spans.enter(name, attributes)
            except Exception as failure:
                rule.failed(failure)
        if rule_2.on:  # spec.yaml:14  update amount
            try:
                attributes = {'pay.amount': amount}
                set_attributes(current_span(), attributes)
            except Exception as failure:
                rule_2.failed(failure)
        try:
            result = await original(self, amount)
        except BaseException as error:
            if pay_span is not None:
                try:  # spec.yaml:5  span pay ends
                    ok = True
                    pay_spans.leave(pay_span, error, status=first_status(error, (True, None, ok, False)))
                except Exception as failure:
                    rule_5.failed(failure)
            raise
        if rule_3.on:  # spec.yaml:16  metric pay.amount
            try:
                value = result
                measure(value, {})
            except Exception as failure:
                rule_3.failed(failure)
        if pay_span is not None:
            try:  # spec.yaml:5  span pay ends
                try:
                    applies = result == 0
                    status = 'refund' if result < 0 else None
                    ok = True
                except Exception:
                    applies, status, ok = read_null_safe_2(result)
                pay_spans.leave(pay_span, status=first_status(None, (applies, None, None, True), (True, status, None, False), (True, None, ok, False)))
            except Exception as failure:
                rule_4.failed(failure)
    except BaseException as stop:
        pay_spans.abandon(pay_span, stop)
        raise
    return result
