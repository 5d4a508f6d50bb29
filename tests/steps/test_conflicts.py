"""AWS says "try again" in many words: every put to S3 and every write of the ledger is then tried again."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.base import errors
from tests.steps.world import World

S3 = ["ConditionalRequestConflict", "OperationAborted", "SlowDown", "InternalError"]
REASONS = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"]


def error(code: str, operation: str, **more: Any) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "try again"}, "ResponseMetadata": {"HTTPStatusCode": 409}, **more}
    return ClientError(answer, operation)  # type: ignore[arg-type]


def cancelled(*reasons: str) -> ClientError:
    listed = [{"Code": each} for each in ("None", *reasons)]
    return error("TransactionCanceledException", "TransactWriteItems", CancellationReasons=listed)


def refused_at_first(
    monkeypatch: pytest.MonkeyPatch, service: Any, method: str, refusal: Callable[[], ClientError]
) -> list[str]:
    """The first put of each object, or every other call, is refused. Gives what was."""
    real, played, turn = getattr(service, method), [], [0]

    def refusing(**request: Any) -> Any:
        turn[0] += 1
        what = str(request.get("Key", turn[0]))
        if what not in played and ("Key" in request or turn[0] % 2):
            played.append(what)
            raise refusal()
        return real(**request)

    monkeypatch.setattr(service, method, refusing)
    return played


def held_up(answer: dict[str, Any]) -> bool:
    """A step that waits a service out, or an end whose evidence could not be written yet."""
    return "AwsUnavailable" in str(answer.get("waiting_for")) or answer.get("evidence", "") is None


def patient(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As Retry, the loops and the finisher do. Gives the names of the steps that were tried again."""
    call, again = world.call, []

    def called(name: str, **event: Any) -> Any:
        for _ in range(50):
            try:
                answer = call(name, **event)
                if not held_up(answer):
                    return answer
            except errors.AwsUnavailable:
                pass
            again.append(name)
        raise AssertionError(f"{name} was tried 50 times")

    monkeypatch.setattr(world, "call", called)
    return again


@pytest.mark.rule("aws-conflicts")
@pytest.mark.parametrize("code", S3)
def test_every_put_to_the_bucket_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old}, jobs=1)["workspace_id"]
    played = refused_at_first(monkeypatch, clients.s3(), "put_object", lambda: error(code, "PutObject"))
    again = patient(world, monkeypatch)
    assert world.rotate(workspace_id=workspace_id, operation="rotate")["status"] == "succeeded"
    assert len(played) == len(again) >= 4
    assert {"pause_triggers", "terminate_compute", "complete_rotation"} <= set(again)


@pytest.mark.rule("aws-conflicts")
@pytest.mark.parametrize("reason", REASONS)
def test_every_write_of_the_ledger_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    played = refused_at_first(monkeypatch, clients.dynamodb(), "transact_write_items", lambda: cancelled(reason))
    again = patient(world, monkeypatch)
    world.plan(workspace_id=workspace_id, operation="rotate")
    world.register()
    assert len(played) == len(again) >= 3
    assert world.rotation().configuration_id is not None


@pytest.mark.parametrize("reason", ["ItemCollectionSizeLimitExceeded", "ValidationError", "AccessDenied"])
def test_a_write_that_can_never_be_made_is_final(world: World, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    workspace_id = world.workspace()["workspace_id"]
    refused_at_first(monkeypatch, clients.dynamodb(), "transact_write_items", lambda: cancelled(reason))
    with pytest.raises(errors.AwsError):
        world.plan(workspace_id=workspace_id)
