"""docs/permissions.md: every right of every Lambda, why it has it, which tests need it, and how its use is undone.

python -m tests.permissions_page docs/permissions.md              draws it from what was noted last
python -m tests.permissions_page docs/permissions.md FOLDER       takes over first what `pytest --needed FOLDER` noted
(`make permissions` does all of it)
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.permissions import EVERY_GRANT, WITHOUT_SECRET, On
from tests.infra.forbidden import NEVER, ONLY
from tests.infra.needed_elsewhere import Elsewhere, of
from tests.infra.undo import undone_by
from tests.roles import Needed, Request, Right, rights

NOTED = Path(__file__).parent / "infra" / "needed.json"

HEAD = """# Permissions

What the role of each Lambda may do: a row a right, and nothing beyond it. Written by `make permissions` from
[infra/permissions.py](../infra/permissions.py), the one place to change it, and from a run of tests/steps and
tests/tickets, in which every AWS call of a handler is held against its Lambda's role. *Needed by* counts the tests in
which a call would have been refused without the right, and names the first; where no such test can be, it says why,
and which test looks after it. *Undo* says who can take back what the right lets change, and how.

- **managed**: only a key whose tag `rekey:managed` is the stack's name. **brought**: only a key whose owner tagged it
  `rekey:brought=true`. **tagging**: only if the request puts `rekey:managed` with the stack's name. **earlier**: only
  from 0.1.0's `rekey:managed=true` to the stack's name, and no other tag. **X only**: only items whose partition key
  is like this.
- No right to put a policy, or to make a key, holds where the request bypasses KMS' lock-out check.
- Every Lambda may also write its own log (`logs:CreateLogStream`, `logs:PutLogEvents` on its own log group) and traces
  (`xray:PutTraceSegments`, `xray:PutTelemetryRecords`, which take no resource).
- With `rekey:encryption_key_arn` a role may use that key through the very services that it may call
  (`kms:ViaService`); with `rekey:databricks_secret_arn` decrypt that secret through Secrets Manager; in a VPC make and
  delete its network interface.
- Whatever stands in no row is refused. tests/infra/forbidden.py lists {never} requests that all roles must be refused,
  and {few} that all but a few must; tests/infra/test_forbidden.py asks the synthesized roles.

{total} rights of {lambdas} Lambdas.
"""

COLUMNS = "| action | on | only | why | needed by | undo |\n|---|---|---|---|---|---|\n"

PLACE_NAMES = {
    On.KEYS: "keys of the account",
    On.ALIASES: "aliases under the prefix",
    On.WORKFLOW: "the state machine",
    On.EXECUTIONS: "its executions",
    On.ANSWER_APPROVAL: "`answer-approval`",
    On.STEER_FLEET: "`steer-fleet`",
    On.SECURITY_HUB: "the account's own product (`product/<account>/default`)",
    On.ANYTHING: "`*`, it takes no resource",
}


@dataclass(frozen=True)
class Noted:
    """What the last run noted of a right."""

    tests: int
    first: str
    request: Request


def noted() -> dict[str, Noted]:
    """By the name of the right."""
    found = json.loads(NOTED.read_text(encoding="utf-8"))
    return {name: Noted(each["tests"], each["first"], Request.of_json(each["request"])) for name, each in found.items()}


def every_right() -> list[Right]:
    return [right for function in EVERY_GRANT for right in rights(function)]


def page(known: Mapping[str, Noted]) -> str:
    everything = every_right()
    lambdas = dict.fromkeys(each.function for each in everything)
    head = HEAD.format(never=len(NEVER), few=len(ONLY), total=len(everything), lambdas=len(lambdas))
    parts = [head]
    for function in lambdas:
        rows = [_row(each, known) for each in rights(function)]
        parts.append(f"\n## {function}\n\n{COLUMNS}{''.join(rows)}")
    return "".join(parts)


def _row(right: Right, known: Mapping[str, Noted]) -> str:
    grant = right.grant
    cells = (
        f"`{right.action}`",
        _place(grant.on, secret=grant in WITHOUT_SECRET),
        grant.condition.replace("*", "\\*"),
        grant.why,
        _needed_by(known.get(right.name), of(right)),
        undone_by(right.action, grant.only),
    )
    return f"| {' | '.join(cells)} |\n"


def _place(on: On, *, secret: bool) -> str:
    if secret:
        return "the Databricks credential, or instead `sts:AssumeRole` on the role that Databricks trusts"
    return PLACE_NAMES.get(on, str(on).replace("*", "\\*"))


def _needed_by(found: Noted | None, elsewhere: Elsewhere | None) -> str:
    if found:
        more = f" and {found.tests - 1} more" if found.tests > 1 else ""
        return f"`{found.first.removeprefix('tests/')}`{more}"
    return f"{elsewhere.why}: `{elsewhere.test.removeprefix('tests/')}`" if elsewhere else "**nothing**"


def taken_over(folder: Path) -> dict[str, Any]:
    """What the workers of a run noted, together, in the order of the table."""
    needed: dict[str, Needed] = {}
    for path in sorted(folder.glob("*.json")):
        for name, each in json.loads(path.read_text(encoding="utf-8")).items():
            mine = needed.setdefault(name, Needed())
            for test in each["tests"]:
                mine.add(test, Request.of_json(each["request"]))
    return dict(_entries(needed))


def _entries(needed: Mapping[str, Needed]) -> Iterator[tuple[str, Any]]:
    for right in every_right():
        if (found := needed.get(right.name)) and found.request:
            request = found.request.as_json()
            yield right.name, {"tests": len(found.tests), "first": min(found.tests), "request": request}


if __name__ == "__main__":
    target, *folders = map(Path, sys.argv[1:])
    for folder in folders:
        lines = [f"{json.dumps(name)}: {json.dumps(each)}" for name, each in taken_over(folder).items()]
        NOTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    target.write_text(page(noted()), encoding="utf-8")
