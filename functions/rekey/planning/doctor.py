"""What only a Lambda of the stack can tell of its ways: asked from its network, with its login and its role.

Nothing is changed. Every host is tried, also after one is shut.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.aws.unreachable import denied_elsewhere
from rekey.base.arns import account_of, region_of
from rekey.base.errors import PermissionDenied, RekeyError
from rekey.base.settings import Settings
from rekey.base.words import counted, shortened
from rekey.databricks import Estate, Workspace
from rekey.databricks.connect import connect_account, connect_workspace
from rekey.model.checks import Check, Examined
from rekey.planning.key_places import checked, places_of
from rekey.planning.reach import (
    Shut,
    at_account,
    at_aws,
    at_ticket_system,
    at_workspace,
    can_be_asked,
    region_asks,
    tried,
)

MOST_WORKSPACES = 200
"""So many are asked, side by side, well within the Lambda's time."""

MOST_TOLD = 10
"""So many workspaces that cannot be reached are told of one by one: the cause is mostly the same."""

ACCOUNT, WORKSPACES, LEDGER, EVIDENCE = "Databricks account", "Databricks workspaces", "ledger", "evidence bucket"


def examine(settings: Settings, function_arn: str) -> Examined:
    """Every way that rotations of this stack go. `function_arn` is the Lambda's own."""
    answers = tried(
        {
            ACCOUNT: lambda: Estate.read(connect_account(settings)),
            LEDGER: lambda: clients.dynamodb().get_item(
                TableName=settings.ledger_table, Key={"pk": {"S": "DOCTOR"}, "sk": {"S": "DOCTOR"}}
            ),
            EVIDENCE: partial(_ask_for_evidence, settings),
            **{
                f"tickets of {name}": partial(at_ticket_system, name, host)
                for name, host in settings.ticket_hosts.items()
            },
        }
    )
    estate = answers[ACCOUNT]
    checks = [*_account(settings, estate), *_stores(answers), *_tickets(answers)]
    if isinstance(estate, Estate):
        checks += [*_workspaces(settings, estate.workspaces), *_regions(settings, estate.workspaces, function_arn)]
        checks += _keys(settings, estate, function_arn)
    return Examined(checks=tuple(checks))


def _ask_for_evidence(settings: Settings) -> None:
    """An object that is not there. S3 answers AccessDenied to who may not list the bucket, which the role may not."""
    try:
        clients.s3().get_object(Bucket=settings.evidence_bucket, Key="rotations/doctor")
    except ClientError as error:
        missing = clients.error_code(error) in ("NoSuchKey", "AccessDenied")
        if not missing or denied_elsewhere(str(error)) or "s3:GetObject" in str(error):
            raise


def _account(settings: Settings, estate: Estate | RekeyError) -> Iterator[Check]:
    if isinstance(estate, PermissionDenied):
        problem = f"the service principal is no admin of the Databricks account: {_plain(estate)}"
        yield Check(name=ACCOUNT, ok=False, said=problem, fix="give it the account admin role in the account console")
    elif isinstance(estate, RekeyError):
        yield from map(_shut, at_account(settings, estate))
    else:
        said = f"account admin, by {'federation' if settings.databricks_role_arn else 'a client secret'}"
        yield Check(name=ACCOUNT, ok=True, said=f"{said}; {counted(len(estate.workspaces), 'workspace')} listed")


def _stores(answers: dict[str, Any]) -> Iterator[Check]:
    for name in (LEDGER, EVIDENCE):
        error = answers[name]
        yield _shut(at_aws(name, error)) if isinstance(error, RekeyError) else _open(name, "reached")


def _tickets(answers: dict[str, Any]) -> Iterator[Check]:
    for name, shut in answers.items():
        if name.startswith("tickets of "):
            yield from map(_shut, shut) if shut else (_open(name, "reached"),)


def _workspaces(settings: Settings, workspaces: Sequence[Workspace]) -> Iterator[Check]:
    running = {each.deployment_name: each for each in workspaces if can_be_asked(each)}
    asked = dict(list(running.items())[:MOST_WORKSPACES])
    answers = tried({name: connect_workspace(settings, name).is_admin for name in asked})
    good = [name for name, answer in answers.items() if answer is True]
    strange = [asked[name].name for name, answer in answers.items() if answer is False]
    failed = {asked[name]: answer for name, answer in answers.items() if isinstance(answer, RekeyError)}
    rest = f", {len(running) - len(asked)} more were not asked" if len(asked) < len(running) else ""
    if good or not asked:
        yield _open(WORKSPACES, f"admin of {len(good)} of {len(running)} that run{rest}")
    if strange:
        problem = f"the service principal is no admin of {', '.join(shortened(strange))}"
        yield Check(
            name=WORKSPACES, ok=False, said=problem, fix="make it a workspace admin of each that is to be rotated"
        )
    looked = list(failed)[:MOST_TOLD]
    told = tried({each.name: partial(at_workspace, settings, each, failed[each]) for each in looked})
    for shut in told.values():
        yield from map(_shut, shut)
    if more := len(failed) - len(looked):
        yield Check(name=WORKSPACES, ok=False, said=f"{more} more cannot be reached", fix="mend those above first")


def _regions(settings: Settings, workspaces: Sequence[Workspace], function_arn: str) -> Iterator[Check]:
    regions = sorted({each.region for each in workspaces if can_be_asked(each) and each.region})
    asks: dict[str, Callable[[], Any]] = {
        f"{name} in {region}": ask
        for region in regions
        for name, ask in region_asks(settings, region, function_arn).items()
    }
    for name, answer in tried(asks).items():
        yield _shut(at_aws(name, answer)) if isinstance(answer, RekeyError) else _open(name, "reached")


def _keys(settings: Settings, estate: Estate, function_arn: str) -> Iterator[Check]:
    own = account_of(function_arn), region_of(function_arn)
    asked = [each for each in estate.workspaces if can_be_asked(each) and each.region][:MOST_WORKSPACES]
    places = places_of(settings, connect_account(settings), estate, asked, own[0])
    yield from checked(places, settings.keys.managed_by, own)


def _open(name: str, said: str) -> Check:
    return Check(name=name, ok=True, said=said)


def _shut(shut: Shut) -> Check:
    """The error's own words; its fix is within them."""
    return Check(name=shut.place, ok=False, said=_plain(shut.error))


def _plain(error: RekeyError) -> str:
    return " ".join(str(error).split()).rstrip(".")
