"""`python -m local.databricks`: the simulator as a process, until SIGTERM."""

import argparse
import os
import signal
import sys
from dataclasses import fields, replace
from typing import Any, cast, get_args, get_type_hints

from local.databricks.serving import Server, announce
from local.databricks.settings import Family, Latencies, Limits, RateLimit, Settings, Switches


def main() -> None:
    arguments = _parser().parse_args()
    # uvicorn shuts down first and then raises the signal again, for whoever was there before it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server = _AnnouncingServer(_settings(arguments), port=arguments.port)
    server.run(sockets=[server.socket])


class _AnnouncingServer(Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        announce(self.url)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.databricks", description=__doc__)
    defaults = Settings()
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--minute-scale", type=float, default=1.0, help="real seconds per simulated second")
    parser.add_argument("--day-scale", type=float, default=1.0, help="the same for the 24 hours")
    parser.add_argument("--account-id", default=defaults.account_id)
    parser.add_argument("--client-id", default=defaults.client_id)
    parser.add_argument("--shard", choices=("commercial", "govcloud", "govcloud-dod"), default=defaults.shard)
    parser.add_argument("--customer-account", default=defaults.customer_account, help="AWS account of the roles")
    parser.add_argument("--aws-endpoint-url", default=None, help="left out: AWS_ENDPOINT_URL")
    parser.add_argument("--latency", action="append", default=[], metavar="NAME=SECONDS")
    parser.add_argument("--limit", action="append", default=[], metavar="FAMILY=PER_SECOND[:BURST]")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE")
    parser.epilog = "The client secret is read from DATABRICKS_SIMULATOR_CLIENT_SECRET when that is set."
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = Settings(
        account_id=arguments.account_id,
        client_id=arguments.client_id,
        minute_scale=arguments.minute_scale,
        day_scale=arguments.day_scale,
        shard=arguments.shard,
        customer_account=arguments.customer_account,
        aws_endpoint_url=arguments.aws_endpoint_url,
        latencies=Latencies(**_pairs(arguments.latency, Latencies)),
        limits=Limits(dict(_limit(given) for given in arguments.limit)),
        switches=Switches(**_pairs(arguments.switch, Switches)),
    )
    secret = os.environ.get("DATABRICKS_SIMULATOR_CLIENT_SECRET")
    return replace(settings, client_secret=secret) if secret else settings


def _pairs(given: list[str], shape: type[Latencies] | type[Switches]) -> dict[str, Any]:
    kinds = get_type_hints(shape)
    known = {entry.name for entry in fields(shape)}
    found: dict[str, Any] = {}
    for pair in given:
        name, _, text = pair.partition("=")
        if name not in known:
            raise SystemExit(f"unknown: {name}; known are {', '.join(sorted(known))}")
        found[name] = _convert(text, kinds[name])
    return found


def _limit(given: str) -> tuple[Family, RateLimit]:
    family, _, numbers = given.partition("=")
    if family not in get_args(Family):
        raise SystemExit(f"unknown: {family}; known are {', '.join(get_args(Family))}")
    per_second, _, burst = numbers.partition(":")
    return cast(Family, family), RateLimit(float(per_second), int(burst or 1))


def _convert(text: str, kind: Any) -> Any:
    if kind is float:
        return float(text)
    if kind is bool:
        return text.lower() == "true"
    return int(text) if text.isdigit() else text


if __name__ == "__main__":
    main()
