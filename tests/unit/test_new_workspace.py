"""A wish for a workspace: what is refused of it, whatever Databricks said."""

import pytest

from rekey.model.request import UseCase
from rekey.model.wish import NewWorkspace
from rekey.planning.case import Wished
from rekey.planning.gather import as_wished
from rekey.planning.rules import judge
from tests.builders import a_case

WISH = {
    "workspace_name": "new",
    "aws_region": "us-east-1",
    "credentials_id": "credentials",
    "storage_configuration_id": "storage",
}


@pytest.mark.parametrize(
    ("use_cases", "reuse", "role", "absent", "refused"),
    [
        (["MANAGED_SERVICES", "STORAGE"], True, None, (), True),
        (["STORAGE"], True, None, (), True),
        (["STORAGE"], True, "arn:aws:iam::123456789012:role/cross-account", (), False),
        (["STORAGE"], False, None, (), False),
        (["MANAGED_SERVICES"], True, None, (), False),
        (["STORAGE"], True, None, ("credentials_id",), False),
    ],
)
def test_volumes_need_a_cross_account_role(
    use_cases: list[UseCase], reuse: bool, role: str | None, absent: tuple[str, ...], refused: bool
) -> None:
    """That credentials are missing is said once, and by itself."""
    case = a_case(
        as_wished(NewWorkspace.model_validate(WISH)),
        role=role,
        wished=Wished(absent),
        operation="create_workspace",
        workspace=WISH,
        use_cases=use_cases,
        reuse_key_for_cluster_volumes=reuse,
    )
    found = [str(each) for each in judge(case) if each.field == "reuse_key_for_cluster_volumes"]
    said = "the credentials name no cross-account role, and cluster volumes cannot use the key without it. Fix: "
    assert [said in each for each in found] == [True] * refused
