# target:Cart.checkout
def checkout(self, currency=...):
    __tracebackhide__ = True
    if readings and is_own_reading():
        return original(self, currency)
    checkout_span = None
    try:
        if rule.on:  # spec.yaml:4  span checkout starts
            begin_reading(None)
            instrument_is_reading = True
            try:
                recorded, draft = checkout_spans.decide()
                if recorded:
                    try:
                        if read_null_safe.first:
                            name, attributes = read_null_safe.first(self)
                        else:
                            name = render_name('checkout ', self.customer.tier)
                            attributes = {'shop.items': len(self.lines)}
                    except Exception:
                        name, attributes = read_null_safe(self)
                    checkout_span = checkout_spans.enter(draft, name, attributes)
                elif draft is not None:
                    checkout_span = checkout_spans.enter_unrecorded(draft)
            except Exception as failure:
                rule.failed(failure)
            finally:
                end_reading()
                instrument_is_reading = False
        try:
            result = original(self, currency)
        except BaseException as error:
            if checkout_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:4  span checkout ends
                    checkout_spans.leave(checkout_span, error)
                except Exception as failure:
                    rule_3.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
            raise
        if type(result) in unfollowed or not follows(result):
            if checkout_span is not None:
                begin_reading(None)
                instrument_is_reading = True
                try:  # spec.yaml:4  span checkout ends
                    if checkout_span.is_read:
                        try:
                            if read_null_safe_2.first:
                                attributes = read_null_safe_2.first(result)
                            else:
                                attributes = {'shop.total': result.total}
                        except Exception:
                            attributes = read_null_safe_2(result)
                        checkout_spans.leave(checkout_span, attributes=attributes)
                    else:
                        checkout_spans.leave(checkout_span)
                except Exception as failure:
                    rule_2.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
        else:
            result = follow(result, checkout_span)
    except BaseException as stop:
        checkout_spans.abandon(checkout_span, stop)
        raise
    return result
