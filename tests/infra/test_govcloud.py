"""The stack for Databricks' GovCloud shards: every ARN in the deployment's own partition, every host the shard's."""

import json
import re

import pytest

from rekey.aws.policy import databricks_statements
from rekey.base.settings import Settings
from tests.infra.conftest import Syntheses

# SRA, variables.tf (consoles); terraform-provider-databricks, aws/constants.go (Databricks' AWS accounts).
SHARDS = {
    "govcloud": ("accounts.cloud.databricks.us", "cloud.databricks.us", "044793339203"),
    "govcloud-dod": ("accounts-dod.cloud.databricks.mil", "cloud.databricks.mil", "170661010020"),
}


@pytest.fixture(params=SHARDS)
def shard(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.rule("govcloud")
def test_no_arn_names_a_partition(syntheses: Syntheses, shard: str) -> None:
    text = json.dumps(syntheses[shard].template.body)
    assert re.findall(r"arn:aws[a-z-]*:", text) == []
    assert text.count('{"Ref": "AWS::Partition"}') > 10


@pytest.mark.rule("govcloud", "principal")
def test_the_lambdas_speak_to_the_shard_and_let_its_account_in(syntheses: Syntheses, shard: str) -> None:
    console, domain, databricks = SHARDS[shard]
    variables = syntheses[shard].template.function("set_policy")["Environment"]["Variables"]
    # What only the deployment knows, such as the table's name, is no text yet.
    settings = Settings.from_env({name: value if isinstance(value, str) else "?" for name, value in variables.items()})
    assert settings.databricks_account_host == f"https://{console}"
    assert settings.workspace_host("dbc-1") == f"https://dbc-1.{domain}"
    statements = databricks_statements(
        shard=settings.databricks_shard,
        databricks_account_id=settings.databricks_account_id,
        use_cases=("MANAGED_SERVICES", "STORAGE"),
        cross_account_role=None,
    )
    principals = {json.dumps(each["Principal"]) for each in statements}
    assert principals == {json.dumps({"AWS": f"arn:aws-us-gov:iam::{databricks}:root"})}


def test_nothing_else_differs_from_the_commercial_stack(syntheses: Syntheses, shard: str) -> None:
    console, domain, _ = SHARDS[shard]
    text = json.dumps(syntheses[shard].template.body)
    for theirs, commercial in ((console, "accounts.cloud.databricks.com"), (f".{domain}", ".cloud.databricks.com")):
        text = text.replace(theirs, commercial)
    assert text.replace(f'"{shard}"', '"commercial"') == json.dumps(syntheses["first"].template.body)
