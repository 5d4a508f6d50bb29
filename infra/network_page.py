"""docs/network.md's table of who calls whom, made of the permissions.

python -m infra.network_page      writes it into the page (`make network`)
"""

from collections.abc import Iterable
from pathlib import Path

from infra.permissions import DATABRICKS, EVERY_GRANT, TICKETS_SECRET, TRY_TICKET_SYSTEMS, Grant, On

PAGE = Path(__file__).resolve().parents[1] / "docs" / "network.md"
BEGIN, END = "<!-- calls: begin -->", "<!-- calls: end -->"

ENDPOINTS = {"tag": "tagging"}
"""Where a service's endpoint has another name than its actions."""

OF_THE_KEYS = {"kms", "tagging"}
"""Asked in the region of each workspace, where its keys are; the others in the stack's own."""


def endpoints(grants: Iterable[Grant]) -> set[str]:
    """The AWS endpoints that a Lambda's code calls for its grants."""
    actions = [action for grant in grants if not grant.by_lambda for action in grant.actions]
    services = {action.partition(":")[0] for action in actions}
    return {ENDPOINTS.get(each, each) for each in services}


def hosts(name: str, grants: tuple[Grant, ...]) -> str:
    """What a Lambda calls outside AWS."""
    if DATABRICKS in grants:
        return "Databricks, the ticket systems" if name in TRY_TICKET_SYSTEMS else "Databricks"
    return "the ticket systems" if TICKETS_SECRET in grants else ""


def table() -> str:
    rows = [_row(name, grants) for name, grants in EVERY_GRANT.items()]
    return "\n".join(
        ["| Lambda | outside AWS | AWS, stack's region | AWS, keys' regions |", "|---|---|---|---|", *rows]
    )


def with_table(page: str) -> str:
    """A page with the table between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(name: str, grants: tuple[Grant, ...]) -> str:
    at_the_keys = [each for each in grants if each.on == On.FORWARDERS]
    called = endpoints(each for each in grants if each not in at_the_keys)
    there = (called & OF_THE_KEYS) | endpoints(at_the_keys)
    return f"| `{name}` | {hosts(name, grants)} | {_named(called - OF_THE_KEYS)} | {_named(there)} |"


def _named(services: set[str]) -> str:
    return ", ".join(f"`{each}`" for each in sorted(services))


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
