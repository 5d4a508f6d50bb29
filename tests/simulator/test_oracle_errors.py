"""The SDK as oracle: errors and lost answers (tests/simulator/oracle.py says how)."""

from contextlib import suppress

import pytest
from databricks.sdk import errors as sdk_errors
from databricks.sdk.service import provisioning

from rekey.base import errors
from rekey.databricks import KeyConfiguration
from tests.simulator.bench import Bench
from tests.simulator.oracle import Pair, Wire

ERRORS: dict[type[Exception], type[Exception] | tuple[type[Exception], ...]] = {
    errors.NotFound: sdk_errors.NotFound,
    errors.InvalidState: (sdk_errors.InvalidState, sdk_errors.ResourceConflict),
    errors.Unauthenticated: sdk_errors.Unauthenticated,
    errors.PermissionDenied: sdk_errors.PermissionDenied,
    errors.DatabricksError: sdk_errors.BadRequest,
}


@pytest.mark.rule("code-in-message")
@pytest.mark.parametrize(
    ("status", "body", "ours"),
    [
        (404, '{"message": "Invalid endpoint"}', errors.NotFound),
        (404, '{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}', errors.NotFound),
        (409, "", errors.InvalidState),
        (400, '{"error_code": "INVALID_STATE", "message": "not now"}', errors.InvalidState),
        (409, '{"message": "INVALID_STATE: Please terminate all pool"}', errors.InvalidState),
        (403, '{"error_code": "PERMISSION_DENIED", "message": "no"}', errors.PermissionDenied),
        (400, '{"message": "MALFORMED_REQUEST: what"}', errors.DatabricksError),
    ],
)
def test_errors_are_understood_as_the_sdk_understands_them(
    pair: Pair, bench: Bench, status: int, body: str, ours: type[Exception]
) -> None:
    fault = {"match": {"method": "GET", "path": "/workspaces/"}, "fault": "status", "status": status, "body": body}
    bench.side("POST", "/faults", {**fault, "times": 2})
    workspace_id = pair.seeded["workspace_id"]
    with pytest.raises(ours) as refusal:
        pair.account.get_workspace(workspace_id)
    assert type(refusal.value) is ours
    with pytest.raises(ERRORS[ours]):
        pair.sdk_account.workspaces.get(workspace_id)


def test_a_lost_answer_is_left_to_the_caller_where_the_sdk_repeats_a_post(pair: Pair, wire: Wire, bench: Bench) -> None:
    def ordered() -> None:
        match = {"method": "POST", "path": "/customer-managed-keys"}
        bench.side("POST", "/faults", {"match": match, "fault": "applied_then_lost", "times": 1})

    def ours() -> KeyConfiguration | None:
        with suppress(errors.OutcomeUnknown):
            return pair.account.create_configuration(bench.key(), ["MANAGED_SERVICES"], reuse_for_volumes=True)
        return None

    ordered()
    sent, got = wire.during(ours)
    assert (len(sent), got) == (1, None)
    assert len(pair.account.list_configurations()) == 1
    ordered()
    key = provisioning.CreateAwsKeyInfo(key_arn=bench.key())
    use_cases = [provisioning.KeyUseCase.MANAGED_SERVICES]
    sent, _ = wire.during(lambda: pair.sdk_account.encryption_keys.create(use_cases=use_cases, aws_key_info=key))
    assert len(sent) == 2
    assert len(pair.account.list_configurations()) == 3
