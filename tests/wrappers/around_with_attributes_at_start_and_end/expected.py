# target:Cart.checkout
def checkout(self, currency=...):
    checkout_span = None
    try:
        if rule.on:  # spec.yaml:4  span checkout starts
            try:
                try:
                    name = render_name('checkout ', self.customer.tier)
                    attributes = {'shop.items': len(self.lines)}
                except Exception:
                    name, attributes = read_null_safe(self)
                checkout_span = checkout_spans.enter(name, attributes)
            except Exception as failure:
                rule.failed(failure)
        try:
            result = original(self, currency)
        except BaseException as error:
            if checkout_span is not None:
                try:  # spec.yaml:4  span checkout ends
                    checkout_spans.leave(checkout_span, error)
                except Exception as failure:
                    rule_3.failed(failure)
            raise
        if checkout_span is not None:
            try:  # spec.yaml:4  span checkout ends
                try:
                    attributes = {'shop.total': result.total}
                except Exception:
                    attributes = read_null_safe_2(result)
                checkout_spans.leave(checkout_span, attributes=attributes)
            except Exception as failure:
                rule_2.failed(failure)
    except BaseException as stop:
        checkout_spans.abandon(checkout_span, stop)
        raise
    return result
