"""Where the keys of an estate are, or will be made: whether rekey is let in there, and hears of refused uses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rekey.aws import clients
from rekey.aws.forwarders import RULE, look_for
from rekey.aws.key_role import RoleRefused
from rekey.base.arns import account_of, region_of
from rekey.base.errors import NotFound, RekeyError
from rekey.base.key_accounts import WORKSPACE
from rekey.base.settings import Settings
from rekey.base.words import counted, shortened
from rekey.databricks import Account, Estate, Workspace
from rekey.model.checks import Check
from rekey.model.use_cases import USE_CASES
from rekey.planning.gather import account_for
from rekey.planning.reach import tried

ACCOUNTS, REFUSED_USES = "key accounts", "refused uses"

MOST_TOLD = 10
"""So many that are wrong are told of one by one: the cause is mostly the same."""

Place = tuple[str, str]
"""An AWS account and a region."""


@dataclass(frozen=True, slots=True)
class Places:
    """`untold` are workspaces whose account nobody could tell; `failed` is why one could not be asked for."""

    known: Sequence[Place]
    untold: Sequence[Workspace]
    failed: Sequence[RekeyError]


def places_of(
    settings: Settings, account: Account, estate: Estate, workspaces: Sequence[Workspace], own: str
) -> Places:
    """Of these workspaces: where the setting has new keys made, and where the keys are that they use. `own` is the
    stack's account."""
    accounts = settings.keys.accounts
    wanted = {each.workspace_id: accounts.place_of(each.workspace_id) for each in workspaces}
    asked = {each.credentials_id for each in workspaces if wanted[each.workspace_id] == WORKSPACE}
    roles = tried({each: partial(account.cross_account_role, each) for each in sorted(filter(None, asked))})
    failed = [each for each in roles.values() if isinstance(each, RekeyError) and not isinstance(each, NotFound)]
    known, untold = set(), []
    for workspace in workspaces:
        role = roles.get(workspace.credentials_id or "")
        if place := account_for(wanted[workspace.workspace_id], own, role if isinstance(role, str) else None):
            known.add((place, workspace.region))
        elif role is None or isinstance(role, NotFound):
            untold.append(workspace)
        used = [estate.configuration(workspace.configuration_id(each)) for each in USE_CASES]
        known |= {(account_of(each.key_arn), region_of(each.key_arn)) for each in used if each}
    return Places(sorted(each for each in known if each[0] == own or clients.reaches(each[0])), untold, failed)


def checked(places: Places, stack: str, own: Place) -> Iterator[Check]:
    """A line for what is right, and one for each that is wrong. `own` is where the stack is."""
    refused = {}
    if elsewhere := sorted({account for account, _ in places.known if account != own[0]}):
        answers = tried({each: partial(clients.role_refused, each) for each in elsewhere})
        refused = {account: answer for account, answer in answers.items() if answer}
        yield from _accounts(elsewhere, refused)
    if places.untold:
        yield Check(
            name=ACCOUNTS,
            ok=False,
            said="rekey:key_accounts has keys made in the workspace's own AWS account, and no credentials "
            f"configuration says which that is for {', '.join(shortened([each.name for each in places.untold]))}",
            fix="name the account of each in rekey:key_accounts",
        )
    for error in places.failed[:1]:
        yield Check(name=ACCOUNTS, ok=None, said=f"some are not known: {_plain(error)}")
    yield from _forwarders([each for each in places.known if each != own and each[0] not in refused], stack)


def _accounts(elsewhere: Sequence[str], refused: dict[str, RoleRefused | RekeyError]) -> Iterator[Check]:
    let_in = len(elsewhere) - len(refused)
    if let_in:
        yield Check(name=ACCOUNTS, ok=True, said=f"{let_in} of {len(elsewhere)} let rekey take on their role")
    for account, error in list(refused.items())[:MOST_TOLD]:
        if isinstance(error, RoleRefused):
            yield Check(name=f"key account {account}", ok=False, said=error.problem, fix=error.fix)
        else:
            yield Check(name=f"key account {account}", ok=None, said=f"nobody could ask for its role: {_plain(error)}")
    if (more := len(refused) - MOST_TOLD) > 0:
        yield Check(name=ACCOUNTS, ok=False, said=f"{more} more do not let rekey in", fix="fix those above first")


def _forwarders(places: Sequence[Place], stack: str) -> Iterator[Check]:
    """The stack's own rule hears of its own account and region, which is none of `places`."""
    rule = RULE.format(stack=stack)
    answers = tried({f"{region} of {account}": partial(look_for, account, region, stack) for account, region in places})
    there = [place for place, answer in answers.items() if answer == "there"]
    missing = [place for place, answer in answers.items() if answer == "missing"]
    if there:
        yield Check(name=REFUSED_USES, ok=True, said=f"told from {counted(len(there), 'other place')} where keys are")
    if missing:
        yield Check(
            name=REFUSED_USES,
            ok=False,
            said=f"no rule {rule} tells the stack of them in {', '.join(shortened(missing))}: a disabled key that is "
            "needed may be noticed by the scheduled key check alone",
            fix="deploy templates/key-account.yaml there with the stack's bus",
        )
    if unknown := [place for place in answers if place not in (*there, *missing)]:
        said = f"nobody could tell whether there is a rule {rule} in {', '.join(shortened(unknown))}"
        yield Check(name=REFUSED_USES, ok=None, said=said)


def _plain(error: RekeyError) -> str:
    return " ".join(str(error).split()).rstrip(".")
