"""Ways of breaking the state machine's definition, each with the check that must notice."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.workflow.asl import DEFINITION, Machine
from tests.workflow.checks import Check, answers, budgets, contract, graph, tasks, totality, variables

Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Mutation:
    """One way of breaking the definition, the check that must notice, and words of what it must say."""

    check: Check
    change: Change
    says: str


def put(*path: str | int, value: object) -> Change:
    """Set the value at a path below States."""

    def change(definition: dict[str, Any]) -> None:
        holder = definition["States"]
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = value

    return change


def drop(*path: str | int) -> Change:
    """Delete what is at a path below States."""

    def change(definition: dict[str, Any]) -> None:
        holder = definition["States"]
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]

    return change


def rest(key: str, value: object) -> Change:
    """Set a key beside States."""
    return lambda definition: definition.update({key: value})


CAUGHT = ("Catch", 1, "Assign", "failure", "cause")
TRANSIENT = ("Retry", 2, "ErrorEquals")

MUTATIONS = [
    Mutation(graph.targets_exist, put("Create key", "Next", value="Set policy"), "Create key: goes to 'Set policy'"),
    Mutation(graph.targets_exist, put("Verify", "Catch", 0, "Next", value="Rollback"), "Verify: goes to 'Rollback'"),
    Mutation(graph.targets_exist, put("Is compute back?", "Default", value="?"), "Is compute back?: goes to '?'"),
    Mutation(graph.targets_exist, rest("StartAt", "Plan"), "StartAt: goes to 'Plan'"),
    Mutation(graph.states_are_reachable, drop("Route by plan", "Choices", 0), "Report plan: no way leads here"),
    Mutation(graph.states_can_end, drop("Create key", "Next"), "Create key: there is no way on"),
    Mutation(graph.states_can_end, drop("Is compute back?", "Default"), "Is compute back?: there is no way on"),
    Mutation(graph.states_can_end, put("Wait for window", "Next", value="Wait for window"), "no end can be reached"),
    Mutation(graph.failures_end_in_fail, put("Verify", "Catch", 1, "Next", value="Restart compute"), "Verify: its"),
    Mutation(graph.failures_end_in_fail, put("Verify", "Catch", 0, "Next", value="Restart compute"), "Verify: its"),
    Mutation(
        graph.failures_end_in_fail,
        put("Verify", "Catch", 1, "Next", value="Is the switch proven?"),
        "Verify: its failure goes to 'Is the switch proven?'",
    ),
    Mutation(
        graph.failures_end_in_fail,
        put("Is it rolled back?", "Choices", 0, "Condition", value="{% $rollback.done = true %}"),
        "can end in Rotation succeeded",
    ),
    Mutation(
        graph.failures_end_in_fail, put("Switch was not proven", "Next", value="Rotation succeeded"), "Switch was not"
    ),
    Mutation(graph.failures_end_in_fail, put("Record failure", "Next", value="Rotation succeeded"), "Record failure"),
    Mutation(
        graph.failures_end_in_fail,
        put("List notebooks", "Catch", 1, "Next", value="Roll back"),
        "List notebooks: its failure goes to 'Roll back'",
    ),
    Mutation(
        graph.states_can_end,
        drop("Renew notebooks", "ItemProcessor", "States", "Batch is over", "End"),
        "Batch is over: there is no way on",
    ),
    Mutation(tasks.everything_is_caught, drop("Renew notebooks", "Catch"), "Renew notebooks: its last Catch"),
    Mutation(budgets.batches_go_in_waves, put("Renew notebooks", "MaxConcurrency", value=2), "2 at a time"),
    Mutation(graph.loops_are_bounded, put("Wait for the proof", "Type", value="Pass"), "the loop has no Wait"),
    Mutation(graph.loops_are_bounded, drop("Is the switch proven?", "Choices", 2), "no Choice leaves the loop"),
    Mutation(graph.loops_are_bounded, drop("Wait for the proof", "Assign", "verify_waited"), "no Choice leaves"),
    Mutation(graph.loops_are_bounded, put("Is the switch proven?", "Comment", value="Ten minutes."), "no Choice"),
    Mutation(graph.loops_are_bounded, put("Wait for the proof", "Seconds", value=1), "no Choice leaves the loop"),
    Mutation(graph.states_are_explained, drop("Rotation failed", "Comment"), "Rotation failed: has no Comment"),
    Mutation(graph.states_are_explained, put("x" * 81, value={"Type": "Succeed", "Comment": "…"}), "too long"),
    Mutation(tasks.timeouts_exceed_the_lambdas, put("Verify", "TimeoutSeconds", value=120), "Verify: TimeoutSeconds"),
    Mutation(tasks.timeouts_exceed_the_lambdas, drop("Verify", "TimeoutSeconds"), "Verify: TimeoutSeconds None"),
    Mutation(tasks.retries_are_jittered_and_capped, drop("Verify", "Retry"), "Verify: has no Retry"),
    Mutation(tasks.retries_are_jittered_and_capped, drop("Verify", "Retry", 0, "JitterStrategy"), "no jitter"),
    Mutation(tasks.retries_are_jittered_and_capped, drop("Verify", "Retry", 2, "MaxDelaySeconds"), "not capped"),
    Mutation(tasks.retries_are_jittered_and_capped, drop("Verify", "Retry", 1, "MaxAttempts"), "lacks MaxAttempts"),
    Mutation(tasks.late_tags_are_waited_for, drop("Create key", "Retry", 3), "Create key: does not wait"),
    Mutation(
        tasks.ten_minutes_are_outlasted, put("Create key", "Retry", 2, "MaxAttempts", value=8), "Create key: may give"
    ),
    Mutation(
        tasks.killed_lambdas_are_waited_out, drop("Verify", "Catch", 0), "Verify: does not wait out Lambda.AWSLambda"
    ),
    Mutation(
        tasks.killed_lambdas_are_waited_out,
        put("Roll back", "Catch", 1, "Next", value="Record failure"),
        "Roll back: does not wait out",
    ),
    Mutation(
        tasks.late_tags_are_waited_for,
        put("Create key", "Retry", 3, "JitterStrategy", value="FULL"),
        "Create key: may give up",
    ),
    Mutation(
        tasks.late_tags_are_waited_for, put("Set key policy", "Retry", 3, "MaxAttempts", value=4), "may give up"
    ),
    Mutation(
        tasks.retries_are_the_common_ones, put("Verify", "Retry", 2, "MaxAttempts", value=9), "Verify: its Retry is not"
    ),
    Mutation(
        tasks.retries_are_the_common_ones, put("Roll back", "Retry", 0, "MaxAttempts", value=3), "Roll back: its"
    ),
    Mutation(
        tasks.retries_name_transient_errors, put("Verify", *TRANSIENT, 0, value="DatabricksBusy"), "retries Databricks"
    ),
    Mutation(tasks.retries_name_transient_errors, put("Verify", *TRANSIENT, 0, value="InvalidState"), "InvalidState"),
    Mutation(tasks.retries_name_transient_errors, put("Verify", *TRANSIENT, 0, value="States.ALL"), "States.ALL"),
    Mutation(tasks.retries_name_transient_errors, put("Verify", *TRANSIENT, 0, value="Transient"), "Transient"),
    Mutation(
        tasks.retries_name_transient_errors, put("Verify", *TRANSIENT, 0, value="AccessDenied"), "AccessDenied"
    ),
    Mutation(tasks.transient_errors_are_retried, drop("Roll back", *TRANSIENT, 2), "does not retry OutcomeUnknown"),
    Mutation(tasks.transient_errors_are_retried, drop("Roll back", "Retry", 1), "does not retry States.Timeout"),
    Mutation(tasks.everything_is_caught, drop("Complete rotation", "Catch"), "Complete rotation: its last Catch"),
    Mutation(
        tasks.everything_is_caught, put("Verify", "Catch", 1, "ErrorEquals", value=["States.TaskFailed"]), "States.ALL"
    ),
    Mutation(
        tasks.everything_is_caught,
        lambda all_: all_["States"]["Verify"]["Catch"].insert(0, {"ErrorEquals": ["Reverted"], "Next": "Roll back"}),
        "catches Reverted",
    ),
    Mutation(variables.expressions_parse, put("Verify", "Output", value="{% $states.( %}"), "Output: does not parse"),
    Mutation(variables.expressions_parse, put("Verify", "Output", value="is {% $plan %}"), "whole or not at all"),
    Mutation(variables.functions_exist, put("Verify", "Output", value="{% $eval('1') %}"), "no function $eval"),
    Mutation(
        variables.states_fields_are_available,
        put("Verify", *CAUGHT, value="{% $states.result.Payload %}"),
        "$states.result",
    ),
    Mutation(
        variables.states_fields_are_available,
        put("Verify", "Output", value="{% $states.errorOutput %}"),
        "$states.errorOutput",
    ),
    Mutation(
        variables.states_fields_are_available,
        put("Is compute back?", "Choices", 0, "Condition", value="{% $states.result.done %}"),
        "$states.result",
    ),
    Mutation(variables.variables_are_assigned_before, drop("Plan rotation", "Assign", "delay"), "$delay may not"),
    Mutation(
        variables.variables_are_assigned_before, drop("Roll back", "Catch", 1, "Assign", "rollback"), "$rollback may"
    ),
    Mutation(variables.variables_are_assigned_before, drop("Compute did not stop", "Assign", "failure"), "$failure"),
    Mutation(variables.variables_are_assigned_before, put("Verify", "Output", value="{% $proofs %}"), "$proofs may"),
    Mutation(
        variables.assignments_do_not_depend_on_order,
        put("Wait for the proof", "Assign", value={"delay": 15, "verify_waited": "{% $verify_waited + $delay %}"}),
        "Assign.verify_waited uses $delay",
    ),
    Mutation(
        variables.choices_assign_in_their_rules, put("Is compute back?", "Assign", value={"delay": 5}), "beside Choices"
    ),
    Mutation(
        totality.conditions_are_boolean,
        put("Is compute gone?", "Choices", 0, "Condition", value="{% $compute.done %}"),
        "gives nothing: $compute.done",
    ),
    Mutation(
        totality.conditions_are_boolean,
        put("Is compute gone?", "Choices", 0, "Condition", value="{% $delay %}"),
        "{% $delay %} gives 5",
    ),
    Mutation(
        totality.failure_handlers_cannot_fail,
        put("Verify", *CAUGHT, value="{% $parse($states.errorOutput.Cause).errorMessage %}"),
        "Verify: its catch fails",
    ),
    Mutation(
        totality.failure_handlers_cannot_fail,
        put("Verify", *CAUGHT, value="{% $exists($states.errorOutput.Cause) %}"),
        "Verify: its catch makes failure.cause",
    ),
    Mutation(
        totality.failure_handlers_cannot_fail,
        put("Switch was not proven", "Assign", "failure", "cause", value="{% $proof.waiting_for %}"),
        "Switch was not proven: its next fails",
    ),
    Mutation(
        totality.failure_handlers_cannot_fail, put("Rotation failed", "Error", value="{% $failure.name %}"), "Error"
    ),
    Mutation(
        answers.reads_are_fields_of_the_answers,
        put("Is compute gone?", "Choices", 0, "Condition", value="{% $compute.finished = true %}"),
        "compute.finished: Progress has no such field",
    ),
    Mutation(
        answers.reads_are_fields_of_the_answers,
        put("Plan rotation", "Assign", "plan", value="{% $states.result.Payload.plans %}"),
        "states.result.Payload.plans: Planned has no such field",
    ),
    Mutation(
        answers.reads_are_fields_of_the_answers,
        put("Which operation?", "Choices", 0, "Condition", value="{% $plan.operations = 'rotate_material' %}"),
        "plan.operations: Plan has no such field",
    ),
    Mutation(
        contract.placeholders_are_the_agreed_ones,
        put("Verify", "Arguments", "FunctionName", value="${VerifySwitch}"),
        "${VerifySwitch}: nothing fills it",
    ),
    Mutation(
        contract.placeholders_are_the_agreed_ones,
        put("Verify", "Arguments", "FunctionName", value="${VerifySwitch}"),
        "${Verify}: is not used",
    ),
    Mutation(
        contract.placeholders_are_the_agreed_ones,
        put("Verify", "Arguments", "FunctionName", value="${VerifySwitch}"),
        "there is no functions/rotate_key/verify_switch.py",
    ),
    Mutation(
        contract.placeholders_are_the_agreed_ones,
        put("Verify", "Arguments", "FunctionName", value="rekey-verify"),
        "Verify: FunctionName is not one placeholder",
    ),
    Mutation(
        contract.placeholders_are_the_agreed_ones,
        put("Verify", "Resource", value="arn:aws:states:::lambda:invoke"),
        "Verify: Resource is not",
    ),
    Mutation(
        contract.payloads_are_what_the_lambdas_take,
        put("Verify", "Arguments", "Payload", "compute", value="{% $compute %}"),
        "Verify: Payload",
    ),
    Mutation(
        contract.payloads_are_what_the_lambdas_take,
        drop("Roll back", "Arguments", "Payload", "rotation_id"),
        "Roll back: Payload",
    ),
    Mutation(
        contract.payloads_are_what_the_lambdas_take,
        drop("Plan rotation", "Arguments", "Payload", "request"),
        "Plan rotation: Payload",
    ),
    Mutation(
        contract.values_do_not_grow,
        put("Wait for the proof", "Assign", "seen", value="{% $append($proof.waiting_for, 'more') %}"),
        "$append gathers",
    ),
    Mutation(
        contract.values_do_not_grow,
        put("Verify", "Assign", "proof", value="{% [$proof, $states.result.Payload] %}"),
        "Verify: Assign.proof: makes something new",
    ),
    Mutation(
        contract.values_do_not_grow,
        put("Wait for the proof", "Assign", "seen", value=["{% $proof %}"]),
        "Assign.seen is a list",
    ),
    Mutation(
        contract.settle_waits_only_for_storage,
        put("Settle wait", "Timestamp", value="{% $plan.start_at %}"),
        "Settle wait: is not",
    ),
    Mutation(
        contract.settle_waits_only_for_storage, put("Settle wait", "Next", value="Restart compute"), "Settle wait: is"
    ),
    Mutation(
        contract.settle_waits_only_for_storage,
        drop("Has the workspace switched?", "Choices", 0),
        "STORAGE is True",
    ),
    Mutation(
        contract.settle_waits_only_for_storage,
        put("Has the workspace switched?", "Choices", 0, "Condition", value="{% $switch.done = true %}"),
        "STORAGE is False",
    ),
    Mutation(
        contract.settle_waits_only_for_storage,
        put("Roll back", "Catch", 1, "Next", value="Restore compute"),
        "Roll back goes to 'Restore compute' without it",
    ),
    Mutation(
        contract.settle_waits_only_for_storage,
        put("Must storage settle first?", "Choices", 0, "Condition", value="{% false %}"),
        "when settle is True",
    ),
    Mutation(
        contract.settle_waits_only_for_storage,
        put("Must storage settle first?", "Choices", 0, "Assign", "settle_until", value="{% $now() %}"),
        "Must storage settle first?: of a moment, and of none, it makes",
    ),
    Mutation(
        budgets.approvals_are_waited_for_as_the_lease_reckons,
        put("Wait for approval", "TimeoutSeconds", value=86_400),
        "an approval is waited for 86400 s",
    ),
    Mutation(
        contract.placeholders_are_the_agreed_ones,
        put("Verify", "Resource", value="arn:${Partition}:states:::lambda:invoke.waitForTaskToken"),
        "Verify: a task token goes with",
    ),
    Mutation(
        budgets.budgets_are_told_as_they_are,
        put("Is compute gone?", "Choices", 1, "Condition", value="{% $terminate_waited >= 2400 %}"),
        "Is compute gone?: its comment does not say 2,400 seconds",
    ),
    Mutation(
        budgets.budgets_are_told_as_they_are,
        put("Is compute gone?", "Choices", 1, "Condition", value="{% $terminate_waited >= 2400 %}"),
        "Compute did not stop: its cause does not say 2,400 seconds",
    ),
    Mutation(
        budgets.budgets_are_told_as_they_are,
        put("Is the switch proven?", "Choices", 2, "Condition", value="{% $verify_waited >= 2400 %}"),
        "Verify: the preflight says 600 s, its loop has 2400",
    ),
    Mutation(
        budgets.budgets_are_told_as_they_are,
        put("Is compute gone?", "Choices", 1, "Condition", value="{% $terminate_waited >= $plan.budgets.stop %}"),
        "$plan.budgets.stop is no budget of a plan",
    ),
    Mutation(budgets.worst_time_fits, rest("TimeoutSeconds", 1_209_600 + 3600), "TimeoutSeconds less the 14 days"),
    Mutation(budgets.worst_time_fits, put("Roll back", "TimeoutSeconds", value=9000), "an approval is 259200 s"),
    Mutation(
        budgets.calls_count_against_their_budget,
        put(
            *("Verify", "Assign", "verify_waited"),
            value="{% $verify_waited + $floor(($millis() - $toMillis($states.context.State.EnteredTime)) / 1000) %}",
        ),
        "Verify: how often it is retried counts against no budget",
    ),
    Mutation(
        budgets.calls_count_against_their_budget,
        put("Restart compute", "Assign", "restart_waited", value="{% $restart_waited %}"),
        "Restart compute: what its calls take",
    ),
    Mutation(
        budgets.worst_history_fits, put("Switch workspace key", "Assign", "delay", value=1), "events of 25000"
    ),
]  # fmt: skip


def broken(change: Change) -> Machine:
    definition = json.loads(DEFINITION.read_text(encoding="utf-8"))
    change(definition)
    return Machine(json.dumps(definition, ensure_ascii=False))
