"""A state's own QueryLanguage holds for its Choice rules and its catchers too.

MiniStack 1.5.33 asks the rule or the catcher, which have none, and then the machine: in a JSONPath machine it passes
over Assign and Output of a JSONata state's rules and catchers.
Source: Step Functions developer guide, "Transforming data with JSONata": the field is the state's, or the machine's.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions  # type: ignore[import-untyped]

_STATES = ("_execute_pass", "_execute_task", "_execute_choice", "_execute_wait", "_execute_map")
"""What MiniStack calls for a state: with its definition first, and last the context, which has the machine's."""


def is_the_states_own() -> None:
    """While a state is executed, its language is what is asked for."""
    for name in _STATES:
        setattr(stepfunctions, name, _in_its_own(getattr(stepfunctions, name)))


def _in_its_own(execute: Callable[..., Any]) -> Callable[..., Any]:
    def executed(state: Any, *more: Any) -> Any:
        context = more[-1]
        before = context["QueryLanguage"]
        context["QueryLanguage"] = state.get("QueryLanguage", before)
        try:
            return execute(state, *more)
        finally:
            context["QueryLanguage"] = before

    return executed
