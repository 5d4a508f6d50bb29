"""RedriveExecution, which MiniStack 1.5.33 lacks: an execution that did not succeed goes on where it ended.

It goes on in the same definition, from the state that was entered last, with that state's input and the variables as
they were; what an aborted run still does is done no more. Source: Step Functions developer guide, "Restarting state
machine executions with redrive". The 14 days and the fields redriveCount and redriveStatus are not played.
"""

import contextvars
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import error_response_json, json_response, now_iso  # type: ignore[import-untyped]
from ministack.services import stepfunctions  # type: ignore[import-untyped]

from local.emulator.key_material import Handler, Json

ENDED_BADLY = ("FAILED", "ABORTED", "TIMED_OUT")

_STATES = ("_execute_pass", "_execute_task", "_execute_choice", "_execute_wait", "_execute_map", "_fail_state_error")
"""What MiniStack calls for a state: with its definition, its input, and last the context that has the variables."""


@dataclass
class Resumed:
    """A redriven execution until its first state is entered."""

    machine_arn: str
    state_input: Any
    variables: Json


class Redrives:
    """Keeps the variables of each execution, and lets one go on with them."""

    def __init__(self) -> None:
        self._variables: dict[str, Json] = {}
        self._resumed: dict[str, Resumed] = {}

    def beside(self, handle: Handler) -> Handler:
        """MiniStack's Step Functions with this action beside its own."""
        for name in _STATES:
            setattr(stepfunctions, name, self._watching(getattr(stepfunctions, name)))

        async def handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
            if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
                return self.redrive(json.loads(body or b"{}"))
            return await handle(method, path, headers, body, query)

        return handle_request

    def redrive(self, request: Json) -> Any:
        """Answers {"redriveDate"}; ExecutionDoesNotExist or ExecutionNotRedrivable."""
        arn = str(request.get("executionArn"))
        ended = stepfunctions._executions.get(arn)
        if ended is None:
            return error_response_json("ExecutionDoesNotExist", f"Execution {arn} not found", 400)
        if ended["status"] not in ENDED_BADLY:
            return error_response_json("ExecutionNotRedrivable", f"Execution is {ended['status']}", 400)
        machine = stepfunctions._state_machines[ended["stateMachineArn"]]
        definition = json.loads(machine["definition"])
        state, state_input = _entered_last(ended, definition)
        self._resumed[arn] = Resumed(machine["stateMachineArn"], state_input, dict(self._variables.get(arn, {})))
        # MiniStack's run begins at StartAt: until its first state is entered, it has a definition that begins there.
        begins_there = {**machine, "definition": json.dumps({**definition, "StartAt": state})}
        stepfunctions._state_machines[f"{arn}:redriven"] = begins_there
        # The run that was aborted looks at its own record, and finds that it has ended.
        execution = {key: value for key, value in ended.items() if key not in ("error", "cause")}
        execution |= {"status": "RUNNING", "stopDate": None, "output": None, "events": list(ended["events"])}
        execution["stateMachineArn"] = f"{arn}:redriven"
        stepfunctions._executions[arn] = execution
        stepfunctions._add_event(execution, "ExecutionRedriven")
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(stepfunctions._run_execution, arn), daemon=True).start()
        return json_response({"redriveDate": now_iso()})

    def _watching(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        def watched(state: Any, state_input: Any, *more: Any) -> Any:
            context = more[-1]
            arn = str(context["Execution"]["Id"])
            if resumed := self._resumed.pop(arn, None):
                stepfunctions._executions[arn]["stateMachineArn"] = resumed.machine_arn
                del stepfunctions._state_machines[f"{arn}:redriven"]
                context["variables"].update(resumed.variables)
                state_input = resumed.state_input
            self._variables[arn] = context["variables"]
            return execute(state, state_input, *more)

        return watched


def _entered_last(execution: Json, definition: Json) -> tuple[str, Any]:
    """The state of the machine itself, not of an item of a Map, that was entered last, and its input."""
    entered = (each["stateEnteredEventDetails"] for each in execution["events"] if "stateEnteredEventDetails" in each)
    last = [each for each in entered if each["name"] in definition["States"]][-1]
    return last["name"], json.loads(last["input"])
