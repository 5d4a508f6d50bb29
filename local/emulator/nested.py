"""Executions that a task starts and waits for, and distributed Maps, as far as MiniStack 1.5.33 plays them otherwise.

It takes no MaxConcurrencyPath; starts an execution anew under a name that was used; runs it as an express one, of whose
end no event tells; and begins further items after the execution with the Map was stopped.
Sources: Step Functions developer guide, "Distributed Map" and "Run a job (.sync)": the task ends with the execution,
which goes on by itself when the task is aborted, unless the role has states:StopExecution (rekey's has not); API
reference, StartExecution: the same name and input while it runs is the same execution, else ExecutionAlreadyExists.
"""

import json
import time
from contextvars import ContextVar
from typing import Any

from ministack.services import stepfunctions  # type: ignore[import-untyped]

Json = dict[str, Any]

_OF_MAP: ContextVar[Json | None] = ContextVar("execution with the Map", default=None)
LOOK_EVERY_SECONDS = 0.05


def play() -> None:
    """Put both in place of MiniStack's own."""
    run = stepfunctions._run_distributed_map

    def run_distributed_map(state: Json, given: Any, effective: Any, *more: Any) -> Any:
        execution, context = more[-2:]
        if path := state.get("MaxConcurrencyPath"):
            state = {**state, "MaxConcurrency": stepfunctions._resolve_path_or_ctx(path, effective, context)}
        token = _OF_MAP.set(execution)
        try:
            return run(state, given, effective, *more)
        finally:
            _OF_MAP.reset(token)

    stepfunctions._run_distributed_map = run_distributed_map
    stepfunctions._invoke_nested_start_execution_sync = start_and_wait


def start_and_wait(resource: str, arguments: Json) -> Json:
    """The started execution's record, once it has ended well. Raises MiniStack's error with Step Functions' names."""
    parent = _OF_MAP.get()
    if parent and parent["status"] != "RUNNING":
        raise stepfunctions._ExecutionError("States.TaskFailed", "The execution with the Map has ended.")
    request = stepfunctions._nested_start_execution_request(arguments)
    known = _known(request)
    if known is None:
        status, _, body = stepfunctions._start_execution(request)
        answer = json.loads(body)
        if status >= 400:
            raise stepfunctions._ExecutionError(f"StepFunctions.{answer['__type']}Exception", answer.get("message", ""))
        known = stepfunctions._executions[answer["executionArn"]]
    arn = known["executionArn"]
    # Looked up again each time: a redrive makes a new record.
    while stepfunctions._executions[arn]["status"] == "RUNNING":
        time.sleep(LOOK_EVERY_SECONDS)
    ended = stepfunctions._executions[arn]
    if ended["status"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", f"{arn} ended {ended['status']}")
    output = ended.get("output") or "{}"
    return {
        "ExecutionArn": arn,
        "Input": ended["input"],
        "Name": ended["name"],
        "Output": json.loads(output) if resource.endswith(":2") else output,
        "StartDate": ended["startDate"],
        "StateMachineArn": ended["stateMachineArn"],
        "Status": ended["status"],
        "StopDate": ended["stopDate"],
    }


def _known(request: Json) -> Json | None:
    """The execution that runs under this name with this input. Raises MiniStack's error where it is another one."""
    machine, name = str(request["stateMachineArn"]), request.get("name")
    found: Json | None = stepfunctions._executions.get(f"{machine.replace(':stateMachine:', ':execution:')}:{name}")
    if found and (found["status"] != "RUNNING" or json.loads(found["input"]) != json.loads(request["input"])):
        error = "StepFunctions.ExecutionAlreadyExistsException"
        raise stepfunctions._ExecutionError(error, f"Execution Already Exists: '{found['executionArn']}'")
    return found
