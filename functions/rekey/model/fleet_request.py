"""A request for a fleet: a rotation's request with `fleet` in place of one workspace."""

import fnmatch
import hashlib
import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rekey.base import clock
from rekey.base.errors import InvalidRequest
from rekey.model.inbox import unwrapped
from rekey.model.refusal import Refusal
from rekey.model.request import Request, Ticket, parse_request
from rekey.model.windows import refusal as no_window

LONGEST_NAME = 50
"""A rotation's name is made of it, the workspace's number and a word: Step Functions takes 80 characters."""

MOST_WORKSPACES = 2000
MOST_WAVES = 40
"""A wave may take some 500 of the 25,000 events that an execution may have; a test counts them."""
MOST_AT_ONCE = 40
"""Rotations at once. Each asks KMS once for a key and once for an alias, of which KMS takes five a second in an account
and region (AWS KMS developer guide, "Request quotas"), and looks at its workspace through the Account API, of which
Databricks names no limit. Those that begin with a wave begin two seconds apart for both, and look every fifteen seconds
or so. What forty at once ask is measured by `make bench-fleet`."""

SELECTORS = ("workspaces", "named", "tag", "older_than_days", "due_within_days", "rest_of")

ONE_WORKSPACES = ("workspace_id", "workspace", "key_arn", "key_configuration_id", "renew_notebooks")
"""What only a request for one workspace may have."""

_EXAMPLE = '{"fleet": {"name": "autumn", "named": "prod-*"}}'


_NAME = rf"^[A-Za-z0-9][A-Za-z0-9_-]{{0,{LONGEST_NAME - 1}}}$"
Number = Annotated[int, Field(gt=0, lt=2**63)]
Size = Annotated[int, Field(ge=1, le=MOST_WORKSPACES)]


class FleetWish(BaseModel):
    """Which workspaces, and how. A workspace must fit every selector that is given; at least one is."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(pattern=_NAME)] | None = None
    """Idempotency token: the same name again goes on where the fleet is. Left out, it is made of the request_id."""
    workspaces: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MOST_WORKSPACES)] | None = None
    named: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Pattern of workspaces' names: prod-* (Python's fnmatch)."""
    tag: Annotated[str, Field(pattern=r"^[^=]{1,127}=.{0,255}$")] | None = None
    """One of the workspace's custom tags, as name=value."""
    older_than_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Only keys whose material is older, as the last inventory has it."""
    due_within_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    """Only keys whose material becomes too old by the policy within so many days, or is; by the last inventory too."""
    rest_of: Annotated[str, Field(pattern=_NAME)] | None = None
    """Only rotations that this earlier fleet planned and did not bring to a good end: they failed, were forbidden,
    or never began."""
    waves: Annotated[tuple[Size, ...], Field(min_length=1, max_length=10)] = (1, 5, 25, 100)
    """How many workspaces each wave has; the last number holds for all that follow."""
    concurrency: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = 10
    max_failed_percent: Annotated[int, Field(ge=0, le=100)] = 20
    """More of a wave than that failed: no further wave begins."""
    ask: Literal["never", "canary", "always"] = "never"
    """After which waves a person is waited for."""
    forbidden: Literal["leave_out", "refuse"] = "leave_out"
    """What becomes of the fleet when a workspace's rotation is forbidden."""
    add_missing: bool = False
    """Whether workspaces get the keys that they lack: those that the policy asks for, where keys are chosen by age."""
    window: Annotated[str, Field(max_length=100)] | None = None
    """The nights of workspaces without a tag of their own (model/windows.py)."""
    by_policy: bool = False
    """What the policy's schedule proposes: where nothing is due there is nothing to do, which is no refusal; and what
    another fleet has in hand is not proposed again."""

    @property
    def by_age(self) -> str | None:
        """The selector that needs the inventory, where there is one."""
        return next((each for each in ("older_than_days", "due_within_days") if getattr(self, each) is not None), None)

    def fits(self, workspace_id: int, name: str, tags: dict[str, str]) -> bool:
        """Whether it is one of them, by all but its keys' age."""
        key, _, value = (self.tag or "").partition("=")
        return (
            (self.workspaces is None or workspace_id in self.workspaces)
            and (self.named is None or fnmatch.fnmatchcase(name, self.named))
            and (self.tag is None or tags.get(key) == value)
        )


class FleetRequest(BaseModel):
    """One request for a fleet. `rotation` is what each workspace's rotation is asked for with, as it was given."""

    model_config = ConfigDict(frozen=True)

    name: str
    fleet: FleetWish
    rotation: dict[str, Any]
    request_id: str | None = None
    approval: bool = False
    dry_run: bool = False
    reason: str | None = None
    requested_by: str | None = None
    ticket: Ticket | None = None

    def digest(self) -> str:
        """SHA-256 over what was asked for, but for the request_id, and for whether its plan needs approval."""
        content = self.model_dump(mode="json", exclude={"request_id", "dry_run", "approval"})
        # Without what was not there in earlier versions: their digests are in the ledger.
        if self.fleet.rest_of is None:
            del content["fleet"]["rest_of"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def chooses(self) -> tuple[object, ...]:
        """What it says of which rotations; but for `rest_of`, which is no wish of a ticket's."""
        fleet, asks = self.fleet, self.asks
        selectors = (getattr(fleet, each) for each in SELECTORS if each != "rest_of")
        return (*selectors, fleet.add_missing, asks.operation, asks.use_cases)

    @property
    def is_a_tickets(self) -> bool:
        """Whether the ticket itself asks, by the webhook that reads it back."""
        return self.ticket is not None and self.request_id == f"{self.ticket.provider}:{self.ticket.key}"

    def attempt(self, number: int, rest_of: str | None) -> Self:
        """The same request for another fleet: the first attempt is the request's own."""
        fleet = self.fleet.model_copy(update={"rest_of": rest_of or self.fleet.rest_of})
        return self.model_copy(update={"name": attempt_name(self.name, number), "fleet": fleet})

    @property
    def asks(self) -> Request:
        """What each rotation is asked for with; its workspace stands for any."""
        return Request.model_validate_json(json.dumps({**self.rotation, "workspace_id": 1}))


def attempt_name(name: str, number: int) -> str:
    """Of the fleets that one ticket has: ops-7, ops-7-2, ops-7-3."""
    suffix = f"-{number}" if number > 1 else ""
    return f"{name[: LONGEST_NAME - len(suffix)]}{suffix}"


def parse_fleet_request(raw: Any) -> FleetRequest:
    """Read a request for a fleet as it came in. Raises InvalidRequest: one line a fault, each with field and fix."""
    asked = unwrapped(raw)
    if not isinstance(asked, dict) or not isinstance(asked.get("fleet"), dict):
        raise InvalidRequest(str(Refusal("fleet", "it is missing, or no JSON object", f"give {_EXAMPLE}")))
    for field in (each for each in ONE_WORKSPACES if each in asked):
        problem = "it is one workspace's, and this request is a fleet's"
        raise InvalidRequest(str(Refusal(field, problem, "leave it out")))
    rest = {name: value for name, value in asked.items() if name != "fleet"}
    request = parse_request({**rest, "workspace_id": 1})
    if request.operation == "create_workspace":
        raise InvalidRequest(str(Refusal("operation", "a fleet makes no workspaces", 'give another, or "rotate"')))
    wish = _wish(asked["fleet"])
    own = {"request_id", "approval", "dry_run", "ticket"}
    if wish.add_missing and request.operation:
        problem = "the operation says what is done"
        raise InvalidRequest(str(Refusal("fleet.add_missing", problem, "leave operation out, or this")))
    if wish.window and (request.not_before or request.not_after):
        problem = "the request has a window already: not_before or not_after"
        raise InvalidRequest(str(Refusal("fleet.window", problem, "give one of them")))
    return FleetRequest(
        name=wish.name or _name_of(request.request_id, by_policy=wish.by_policy),
        fleet=wish,
        rotation={name: value for name, value in rest.items() if name not in own},
        **request.model_dump(include={*own, "reason", "requested_by"}),
    )


def _wish(given: dict[str, Any]) -> FleetWish:
    try:
        wish = FleetWish.model_validate_json(json.dumps(given))
    except ValidationError as error:
        # Without the values: one may be a secret that was pasted by mistake.
        faults = [f"fleet.{'.'.join(map(str, each['loc']))}: {each['msg']}." for each in error.errors()]
        raise InvalidRequest("\n".join(f"{each} Fix: see docs/fleet.md" for each in faults)) from None
    if all(getattr(wish, each) is None for each in SELECTORS):
        problem = "it does not say which workspaces"
        raise InvalidRequest(str(Refusal("fleet", problem, f"give at least one of {', '.join(SELECTORS)}")))
    if wish.by_policy and wish.by_age is None:
        problem = "it proposes what is due, and the request does not say how soon"
        raise InvalidRequest(str(Refusal("fleet.by_policy", problem, "give fleet.due_within_days")))
    if wish.window and (refusal := no_window("fleet.window", "it", wish.window, clock.now())):
        raise InvalidRequest(str(refusal))
    return wish


def _name_of(request_id: str | None, *, by_policy: bool) -> str:
    """A fleet's name for a request that gives none. Raises InvalidRequest."""
    if request_id is None:
        raise InvalidRequest(str(Refusal("fleet.name", "it is missing", f"give a name, such as in {_EXAMPLE}")))
    if by_policy:
        # policy-2026-11-28T20:00:00Z: one schedule asks, and people type the name.
        return re.sub(r"[^A-Za-z0-9-]", "-", request_id)[:LONGEST_NAME]
    # Always with the hash: names that differ in what is replaced, or cut off, stay apart.
    readable = "".join(each if each.isascii() and each.isalnum() else "-" for each in request_id).strip("-")
    return f"{readable[: LONGEST_NAME - 11] or 'fleet'}-{hashlib.sha256(request_id.encode()).hexdigest()[:10]}"
