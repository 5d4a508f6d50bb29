"""Runs the product's handlers as Lambda does: cold or warm, for so long and no longer, with its words for an end."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rekey.databricks import connect
from rekey.rotation.compute import pace
from rekey.telling.tickets import settings as ticket_settings
from tests import handlers
from tests.matrix.boundary import Boundary, Invocation, Killed
from tests.matrix.execution import TaskError
from tests.steps.world import FINISHER_SECONDS, LAMBDA_SECONDS, Context

SECONDS = {"carry_on": FINISHER_SECONDS, "ticket_webhook": 29.0, "notify_ticket": 60.0}
"""What these have; the others have LAMBDA_SECONDS."""


@dataclass
class Lambdas:
    """A container serves one function: another one begins without its tokens and clients."""

    boundary: Boundary
    refused: dict[str, TaskError] = field(default_factory=dict)
    """Functions that cannot be started at all, and what Step Functions hears."""
    invoked: list[tuple[float, str]] = field(default_factory=list)
    failed: list[tuple[float, str, str]] = field(default_factory=list)
    """When which function ended with which error."""
    before: Callable[[str, Any], None] = lambda _, __: None
    _warm: str = ""

    def of_placeholder(self, placeholder: str, payload: Any) -> Any:
        """By the definition's name of it: CreateKey is create_key."""
        return self.call("_".join(re.findall("[A-Z][a-z]*", placeholder)).lower(), payload)

    def call(self, name: str, payload: Any) -> Any:
        """Its answer as JSON. Raises TaskError."""
        clock = self.boundary.clock
        self.invoked.append((clock.now(), name))
        self.before(name, payload)
        if name in self.refused:
            clock.advance(1)
            raise self._end(name, self.refused[name])
        if name != self._warm:
            self.cold()
        self._warm = name
        invocation = Invocation(name, clock.now() + SECONDS.get(name, LAMBDA_SECONDS))
        self.boundary.at_work.append(invocation)
        try:
            answer = handlers.module(name).handler(payload, Context(clock, invocation.ends_at))
            if invocation.killed is not None:
                raise invocation.killed
        except Killed as killed:
            self._warm = ""
            clock.advance(max(0.0, invocation.ends_at - clock.now()) if killed.error == "Sandbox.Timedout" else 0.1)
            raise self._end(name, TaskError(killed.error, killed.cause)) from None
        except Exception as error:
            if invocation.killed is not None:
                self._warm = ""
                end = invocation.killed
                raise self._end(name, TaskError(end.error, end.cause)) from None
            report = {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": "0", "stackTrace": []}
            raise self._end(name, TaskError(type(error).__name__, json.dumps(report))) from error
        finally:
            self.boundary.at_work.remove(invocation)
        return json.loads(json.dumps(answer))

    def _end(self, name: str, error: TaskError) -> TaskError:
        self.failed.append((self.boundary.clock.now(), name, error.name))
        return error

    def cold(self) -> None:
        """Nothing is left of earlier calls."""
        self._warm = ""
        connect.forget_clients()
        pace.forget()
        ticket_settings.forget()
