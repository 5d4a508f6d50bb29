"""`python -m local.tickets --port N`: the ticket systems as a process, until SIGTERM."""

import argparse
import signal
import sys

from local.tickets.app import make_server
from local.tickets.state import State


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.tickets", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments = parser.parse_args()
    # uvicorn shuts down first and then raises the signal again, for whoever was there before it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server, listening = make_server(State.from_env(), arguments.port)
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
