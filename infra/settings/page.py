"""docs/settings.md, made from the settings themselves.

python -m infra.settings.page docs/settings.md      writes the page (`make settings`)
"""

import json
import sys
from pathlib import Path

from infra.settings.common import Common
from infra.settings.explain import PREFIX
from infra.settings.key_policy import statements
from infra.settings.model import GROUPS

CDK_JSON = Path(__file__).resolve().parents[2] / "cdk.json"

INTRODUCTION = """# Settings

This page is made by `make settings` from infra/settings. Each setting is CDK context: cdk.json holds its default, and
`-c rekey:<name>=<value>` (`make deploy ARGS="-c ..."`) goes before it. Lists and objects are JSON there, as in
`-c rekey:stack_tags='{"cost-centre": "4711"}'`. All are checked before anything is made; what is wrong is named with
its fix.
"""

KEY_POLICY = """## The policy of `rekey:encryption_key_arn`

The Lambdas' roles get the rights in KMS that they need, each through the one service that uses the key for them
(`kms:ViaService`); so does whoever reads the evidence, the table or an execution's history with `rekey`: give them
`kms:Decrypt` on the key. The key's policy must let the account's IAM decide, as KMS' default policy does, and let these
services use it. Without them a log group cannot be made, and an alarm reaches nobody.
"""

NOT_UNDER_IT = """
Not under it: the bucket of the evidence bucket's access logs, as S3 delivers none to a bucket under another key than
its own; the Lambdas' environment and the tickets' parameter, which hold no secret.
"""


def page() -> str:
    defaults = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
    policy = json.dumps(statements(), indent=2)
    tables = [_section(group, defaults) for group in GROUPS]
    return "\n".join([INTRODUCTION, *tables, KEY_POLICY, f"```json\n{policy}\n```", NOT_UNDER_IT.rstrip("\n"), ""])


def own_settings(group: type[Common]) -> list[str]:
    """The names that a group adds to the common ones."""
    return [name for name in group.model_fields if group is Common or name not in Common.model_fields]


def _section(group: type[Common], defaults: dict[str, object]) -> str:
    rows = [_row(group, name, defaults[f"{PREFIX}{name}"]) for name in own_settings(group)]
    title = (group.__doc__ or "").strip().rstrip(".")
    return "\n".join([f"## {title}", "", "| setting | meaning | give | default |", "|---|---|---|---|", *rows, ""])


def _row(group: type[Common], name: str, default: object) -> str:
    field = group.model_fields[name]
    shown = "" if default == "" else f"`{default if isinstance(default, str) else json.dumps(default)}`"
    cells = [f"`{PREFIX}{name}`", field.title or "", field.description or "", shown]
    return f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
