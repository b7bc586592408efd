class Hub:
    def tell(self, method, *args):
        return len(args)
