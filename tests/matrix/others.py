"""What someone else does meanwhile, by name: to the workspace, to keys, to the ledger, to the execution."""

from collections.abc import Callable
from functools import partial
from typing import Any

from local.databricks.faults import Match, Order
from tests.clients import client
from tests.kms_states import schedule_deletion
from tests.matrix.execution import TaskError
from tests.matrix.run import Run


def _retried(run: Run, act: Callable[[], Any], tries: int = 50) -> None:
    """As a person does: once more after a while, when AWS or Databricks is away."""
    try:
        act()
    except TaskError as error:
        if tries and error.name in ("AwsUnavailable", "DatabricksUnavailable", "DatabricksThrottled"):
            run.cloud.timeline.at(run.cloud.clock.now() + 600, lambda: _retried(run, act, tries - 1))


def _deletes(kind: str, run: Run) -> None:
    things = run.things(kind)
    if things:
        run.deleted.add(things[0])
        run.cloud.world.post("delete", workspace_id=run.workspace_id, kind=kind, id=things[0])


def _starts_cluster(run: Run) -> None:
    for cluster in run.things("off"):
        run.started.add(cluster)
        run.in_workspace("clusters/start", cluster_id=cluster)


def _takes_admin_right(run: Run) -> None:
    run.cloud.world.post("switches", account_admin=False)
    run.cloud.timeline.at(run.cloud.clock.now() + 3_600, lambda: run.cloud.world.post("switches", account_admin=True))


def _takes_workspace_right(run: Run) -> None:
    for workspace in run.workspaces():
        workspace.has_admin = False
        run.cloud.timeline.at(run.cloud.clock.now() + 600, partial(setattr, workspace, "has_admin", True))


def _disables_new_key(run: Run) -> None:
    for key_arn in run.made_keys():
        client("kms").disable_key(KeyId=key_arn)
        run.disabled_by_hand.add(key_arn)
        run.cloud.timeline.at(run.cloud.clock.now() + 7_200, partial(_enable, key_arn))


def _enable(key_arn: str) -> None:
    client("kms").enable_key(KeyId=key_arn)


def _old_key_pending(run: Run) -> None:
    for key_arn in run.seeded_keys[:1]:
        schedule_deletion(key_arn)
        run.disabled_by_hand.add(key_arn)
        run.cloud.timeline.at(run.cloud.clock.now() + 7_200, partial(_rescue, key_arn))


def _rescue(key_arn: str) -> None:
    if client("kms").describe_key(KeyId=key_arn)["KeyMetadata"]["KeyState"] == "PendingDeletion":
        client("kms").cancel_key_deletion(KeyId=key_arn)
    client("kms").enable_key(KeyId=key_arn)


def _edits_policy(run: Run) -> None:
    brought = [run.request["key_arn"]] if "key_arn" in run.request else []
    for key_arn in [*run.made_keys(), *brought]:
        run.add_statement(key_arn)


def _removes_tags(run: Run) -> None:
    for key_arn in run.made_keys():
        client("kms").untag_resource(KeyId=key_arn, TagKeys=["rekey:state"])


def _takes_lease(run: Run) -> None:
    for key in [each for each in run.cloud.aws.items if each[1] == "LEASE"]:
        del run.cloud.aws.items[key]


def _removes_snapshot(run: Run) -> None:
    """The bucket keeps versions: whoever is told that the finisher misses it brings it back, two days later."""
    objects = run.cloud.aws.objects
    for name in [each for each in objects if each.endswith("/snapshot.json")]:
        gone = objects.pop(name)
        run.cloud.timeline.at(run.cloud.clock.now() + 2 * 86_400, partial(objects.setdefault, name, gone))


def _asks_again(run: Run) -> None:
    run.start_another(dict(run.request))


def _asks_other(run: Run) -> None:
    run.start_another({**run.request, "request_id": "OTHER"})


def _cancels(run: Run) -> None:
    wish = {"rotation_id": run.execution.name, "by": "ada", "reason": "not now"}
    _retried(run, lambda: run.cloud.lambdas.call("cancel_rotation", wish))


def _aborts(run: Run) -> None:
    run.cloud.tasks.stop_execution(executionArn=run.execution.arn, cause="by hand")


def _times_out(run: Run) -> None:
    run.cloud.tasks.time_out(run.execution)


def _redrives(run: Run) -> None:
    """It is aborted, and a person has it go on twenty minutes later, while the finisher may be at work on it."""
    _aborts(run)
    tasks, execution = run.cloud.tasks, run.execution
    run.cloud.timeline.at(run.cloud.clock.now() + 1_200, lambda: tasks.redrive(execution))


def _times_out_and_is_redriven(run: Run) -> None:
    _times_out(run)
    _redrive_later(run)


def _redrive_later(run: Run) -> None:
    """Twenty minutes after its end; what has succeeded, Step Functions does not redrive."""

    def redrive() -> None:
        if run.execution.status not in ("RUNNING", "SUCCEEDED"):
            run.cloud.tasks.redrive(run.execution)

    run.cloud.timeline.at(run.cloud.clock.now() + 1_200, redrive)


def _redriven_twice(run: Run) -> None:
    _redrive_later(run)
    run.cloud.timeline.at(run.cloud.clock.now() + 86_400, lambda: _redrive_later(run))


def _busy(run: Run) -> None:
    order = Order(match=Match(method="PATCH"), fault="status", status=409, error_code="INVALID_STATE", times=3)
    run.cloud.simulator.faults.add(order)


OTHERS: dict[str, Callable[[Run], None]] = {
    "deletes-cluster": lambda run: _deletes("cluster", run),
    "deletes-pool": lambda run: _deletes("pool", run),
    "deletes-warehouse": lambda run: _deletes("warehouse", run),
    "deletes-job": lambda run: _deletes("job", run),
    "starts-cluster": _starts_cluster,
    "takes-admin-right": _takes_admin_right,
    "takes-workspace-right": _takes_workspace_right,
    "disables-new-key": _disables_new_key,
    "old-key-pending-deletion": _old_key_pending,
    "edits-policy": _edits_policy,
    "removes-tags": _removes_tags,
    "takes-lease": _takes_lease,
    "removes-snapshot": _removes_snapshot,
    "asks-again": _asks_again,
    "asks-other": _asks_other,
    "cancels": _cancels,
    "aborts": _aborts,
    "aborts-and-redrives": _redrives,
    "times-out": _times_out,
    "times-out-and-is-redriven": _times_out_and_is_redriven,
    "is-redriven": _redrive_later,
    "is-redriven-twice": _redriven_twice,
    "keeps-it-busy": _busy,
}
