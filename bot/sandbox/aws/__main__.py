"""`python -m bot.sandbox.aws --port 0 --seed FILE`: AWS in a process of its own; prints its address and serves."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from bot.sandbox.aws.server import SandboxAws
from bot.sandbox.aws.spec import EXAMPLE, WorldSpec


def main() -> None:
    """Serves until it is told to stop, or until its standard input ends where `--with-parent` is given."""
    parser = argparse.ArgumentParser(prog="python -m bot.sandbox.aws", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=Path, help="a WorldSpec as JSON; default: the people of the example policy")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input ends")
    parser.add_argument("--torn-pages", type=int, metavar="SEED", help="lists have short and empty pages")
    options = parser.parse_args()
    spec = WorldSpec.from_json(options.seed.read_text(encoding="utf-8")) if options.seed else EXAMPLE
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with SandboxAws(spec, port=options.port, torn_pages=options.torn_pages) as aws:
        sys.stdout.write(f"{aws.url}\n")
        sys.stdout.flush()
        if options.with_parent:
            sys.stdin.read()
        else:
            stop.wait()


if __name__ == "__main__":
    main()
