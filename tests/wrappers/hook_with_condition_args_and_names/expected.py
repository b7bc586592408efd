# target:Hub.tell
def tell(self, method, *args):
    __tracebackhide__ = True
    if type(method) is text_type and method != 'closed':
        return original(self, method, *args)
    if readings and is_own_reading():
        return original(self, method, *args)
    channel = None
    owner = None
    reason = None
    in_closed = False
    if rule.on:  # spec.yaml:4  hook closed
        begin_reading(None)
        instrument_is_reading = True
        try:
            if method == 'closed':
                channel, reason = args
                try:
                    if read_null_safe.first:
                        owner = read_null_safe.first(self)
                    else:
                        owner = self.owners
                except Exception:
                    owner = read_null_safe(self)
                in_closed = True
        except Exception as failure:
            rule.failed(failure)
        finally:
            end_reading()
            instrument_is_reading = False
    if not in_closed:
        return original(self, method, *args)
    result = original(self, method, *args)
    if type(result) in unfollowed or not follows(result):
        if in_closed:
            if rule_2.on:  # spec.yaml:10  span closed
                begin_reading(None)
                instrument_is_reading = True
                try:
                    recorded, draft = closed_spans.decide()
                    if recorded:
                        try:
                            if read_null_safe_2.first:
                                name, attributes = read_null_safe_2.first(channel, owner, reason, result)
                            else:
                                name = render_name('closed ', owner.name)
                                attributes = {'hub.channel': channel, 'hub.reason': str(reason), 'hub.result': result}
                        except Exception:
                            name, attributes = read_null_safe_2(channel, owner, reason, result)
                        closed_spans.record(draft, name, attributes)
                except Exception as failure:
                    rule_2.failed(failure)
                finally:
                    end_reading()
                    instrument_is_reading = False
    else:
        result = follow(result, in_closed, channel, owner, reason)
    return result
