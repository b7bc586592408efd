# target:pay
def pay(*args, **kwargs):
    order = amount = None
    if rule_5.on:  # spec.yaml:4  the call's arguments
        try:
            order, amount = bind(args, kwargs)
        except Exception as mistake:
            rule_5.failed(mistake)
    pay_span = None
    try:
        if rule_2.on:  # spec.yaml:4  span pay starts
            try:
                try:
                    name = 'pay'
                    attributes = {'shop.amount': amount}
                    key = order.id
                except Exception:
                    name, attributes, key = read_null_safe(amount, order)
                pay_span = pay_spans.enter(name, attributes)
                if pay_span is not None:
                    if rule.on:  # spec.yaml:4  the key of span pay
                        try:
                            pay_span = pay_spans.under(key, pay_span)
                        except Exception as mistake:
                            rule.failed(mistake)
            except Exception as mistake:
                rule_2.failed(mistake)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            if pay_span is not None:
                try:  # spec.yaml:4  span pay ends
                    pay_spans.leave(pay_span, error)
                except Exception as mistake:
                    rule_4.failed(mistake)
            raise
        if pay_span is not None:
            try:  # spec.yaml:4  span pay ends
                pay_spans.leave(pay_span)
            except Exception as mistake:
                rule_3.failed(mistake)
    except BaseException as stop:
        pay_spans.abandon(pay_span, stop)
        raise
    return result
