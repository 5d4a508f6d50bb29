"""Every static check of the state machine: each takes a Machine and gives a sentence for each problem it finds."""

from collections.abc import Callable

from tests.workflow.asl import Machine
from tests.workflow.checks import answers, budgets, contract, graph, tasks, totality, variables

Check = Callable[[Machine], list[str]]

CHECKS: tuple[Check, ...] = (
    graph.targets_exist,
    graph.states_are_reachable,
    graph.states_can_end,
    graph.failures_end_in_fail,
    graph.loops_are_bounded,
    graph.states_are_explained,
    tasks.timeouts_exceed_the_lambdas,
    tasks.retries_are_jittered_and_capped,
    tasks.retries_are_the_common_ones,
    tasks.retries_name_transient_errors,
    tasks.late_tags_are_waited_for,
    tasks.ten_minutes_are_outlasted,
    tasks.killed_lambdas_are_waited_out,
    tasks.transient_errors_are_retried,
    tasks.everything_is_caught,
    variables.expressions_parse,
    variables.functions_exist,
    variables.states_fields_are_available,
    variables.variables_are_assigned_before,
    variables.assignments_do_not_depend_on_order,
    variables.choices_assign_in_their_rules,
    totality.conditions_are_boolean,
    totality.failure_handlers_cannot_fail,
    answers.reads_are_fields_of_the_answers,
    contract.placeholders_are_the_agreed_ones,
    contract.payloads_are_what_the_lambdas_take,
    contract.values_do_not_grow,
    contract.settle_waits_only_for_storage,
    budgets.calls_count_against_their_budget,
    budgets.batches_go_in_waves,
    budgets.budgets_are_told_as_they_are,
    budgets.worst_time_fits,
    budgets.worst_history_fits,
    budgets.approvals_are_waited_for_as_the_lease_reckons,
)
