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
                    owner = careful(self)
                in_closed = True
        except Exception as mistake:
            rule.failed(mistake)
    result = original(self, method, *args)
    if in_closed:
        if rule_2.on:  # spec.yaml:10  span closed
            try:
                try:
                    name = title('closed ', owner.name)
                    attributes = {'hub.channel': channel, 'hub.reason': str(reason), 'hub.told': result}
                except Exception:
                    name, attributes = careful_2(channel, owner, reason, result)
                closed_spans.shot(name, attributes)
            except Exception as mistake:
                rule_2.failed(mistake)
    return result
