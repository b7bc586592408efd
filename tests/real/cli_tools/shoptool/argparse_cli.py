import argparse
import sys

from shoptool.stock import find


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be positive")
    return number


class Upper(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, values.upper())


def sell(args):
    print(f"sold {args.amount} {find(args.article)}")


def refund(args):
    print("refunded", args.order)
    return 4


COMMANDS = {"sell": sell}


def make_parser():
    parser = argparse.ArgumentParser(prog="argparse_cli")
    commands = parser.add_subparsers(required=True)
    selling = commands.add_parser("sell")
    selling.add_argument("article")
    selling.add_argument("--amount", type=positive, default=1)
    selling.set_defaults(func=COMMANDS["sell"])
    refunding = commands.add_parser("refund")
    refunding.add_argument("order", action=Upper)
    refunding.set_defaults(func=refund)
    return parser


def main(argv=None):
    args = make_parser().parse_args(argv)
    return args.func(args)


if __name__ == "__main__":
    sys.exit(main())
