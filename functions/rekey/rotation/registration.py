"""Key configurations at Databricks: registered once, looked up first, deleted when nothing uses them."""

from contextlib import suppress

from rekey.base import clock
from rekey.base.errors import AwsUnavailable, InvalidState, NotFound
from rekey.databricks import Estate
from rekey.model.actions import Action
from rekey.model.answers import Registered
from rekey.model.findings import Finding, FindingCode
from rekey.model.steps import StepName
from rekey.rotation.sharing import others_under_way
from rekey.rotation.step import Step

STEP = StepName.REGISTER


def register(step: Step) -> Registered:
    """Register the rotation's key, or take the configuration that already says the same.

    Looking first makes a repeated or half-answered try harmless: Databricks itself would
    make a new configuration each time.
    """
    rotation = step.rotation
    plan = rotation.plan
    if rotation.configuration_id:
        return Registered(configuration_id=rotation.configuration_id, found=True)
    if plan.given_configuration_id:
        detail = {"configuration_id": plan.given_configuration_id, "key_arn": step.key_arn}
        step.record(
            STEP, Action.CONFIGURATION_GIVEN, detail, configuration_id=plan.given_configuration_id, status="running"
        )
        return Registered(configuration_id=plan.given_configuration_id, found=True)
    key_arn = step.key_arn
    reuse = plan.reuse_key_for_cluster_volumes
    found = next(
        (
            each
            for each in step.account.list_configurations()
            if each.says_the_same(key_arn, plan.use_cases, reuse_for_volumes=reuse)
        ),
        None,
    )
    # One that shows only after this rotation had asked for it is its own: it is what an unanswered try made.
    made = found is None or rotation.registration_asked_at is not None
    if found is None and rotation.registration_asked_at is None:
        step.note(registration_asked_at=clock.stamp())
    configuration = found or step.account.create_configuration(key_arn, plan.use_cases, reuse_for_volumes=reuse)
    try:
        step.record(
            STEP,
            Action.CONFIGURATION_FOUND if found else Action.CONFIGURATION_REGISTERED,
            {
                "configuration_id": configuration.configuration_id,
                "key_arn": key_arn,
                "use_cases": list(configuration.use_cases),
                "reuse_key_for_cluster_volumes": configuration.reuse_key_for_cluster_volumes,
            },
            configuration_id=configuration.configuration_id,
            configuration_made=made,
            status="running",
        )
    except AwsUnavailable:
        if found is None:
            _withdraw(step, configuration.configuration_id)
        raise
    return Registered(configuration_id=configuration.configuration_id, found=found is not None)


def _withdraw(step: Step, configuration_id: str) -> None:
    """The same call was made twice at once, and the other one wrote its own down: this one belongs to nobody.

    Where the ledger has none yet, the next call finds this one.
    """
    written = step.ledger.load(step.rotation.rotation_id).configuration_id
    if written and written != configuration_id:
        with suppress(NotFound):
            step.account.delete_configuration(configuration_id)


def remove_unused(step: Step) -> list[Finding]:
    """Delete the configuration that this rotation registered. Gives what could not be deleted, with the reason."""
    configuration_id = step.rotation.configuration_id
    if configuration_id is None or not step.rotation.configuration_made:
        return []
    return _remove(step, Estate.read(step.account), step.key_arn, [configuration_id])


def remove_of_key(step: Step, key_arn: str) -> list[Finding]:
    """Delete every configuration of a key that this rotation made: also one whose registration got no answer."""
    estate = Estate.read(step.account)
    return _remove(step, estate, key_arn, [each.configuration_id for each in estate.configurations_of(key_arn)])


def _remove(step: Step, estate: Estate, key_arn: str, configuration_ids: list[str]) -> list[Finding]:
    left: list[Finding] = []
    others = others_under_way(step, key_arn) if configuration_ids else []
    for configuration_id in configuration_ids:
        takers = [each.rotation_id for each in others if each.takes(configuration_id)]
        if takers:
            left.append(_stays(configuration_id, f"the rotation {takers[0]} takes it."))
            continue
        # Databricks' own guard speaks of running workspaces: a failed one would lose its keys.
        if users := estate.referring_to(configuration_id):
            left.append(_stays(configuration_id, f"workspace {users[0].workspace_id} refers to it."))
            continue
        try:
            step.account.delete_configuration(configuration_id)
        except NotFound:
            continue
        except InvalidState as error:
            left.append(_stays(configuration_id, str(error)))
            continue
        step.record(StepName.ROLL_BACK, Action.CONFIGURATION_DELETED, {"configuration_id": configuration_id})
    return left


def _stays(configuration_id: str, why: str) -> Finding:
    text = f"configuration {configuration_id} stays registered: {why}"
    return Finding(code=FindingCode.CONFIGURATION_STAYS, text=text)
