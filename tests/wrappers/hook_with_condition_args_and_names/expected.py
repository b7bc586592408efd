# target:Hub.tell
def tell(self, method, *args):
    in_closed = False
    if rule.on:  # spec.yaml:4  hook closed
        try:
            if method == 'closed':
                channel, reason = args
                try:
                    owner = self.owners
                except Exception:
                    owner = read_null_safe(self)
                in_closed = True
        except Exception as failure:
            rule.failed(failure)
    result = original(self, method, *args)
    if in_closed:
        if rule_2.on:  # spec.yaml:10  span closed
            try:
                try:
                    name = render_name('closed ', owner.name)
                    attributes = {'hub.channel': channel, 'hub.reason': str(reason), 'hub.result': result}
                except Exception:
                    name, attributes = read_null_safe_2(channel, owner, reason, result)
                closed_spans.record(name, attributes)
            except Exception as failure:
                rule_2.failed(failure)
    return result
