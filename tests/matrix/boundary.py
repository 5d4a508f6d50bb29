"""Where the product ends: every call to AWS, Databricks or a ticket system passes here, takes its time, may fail."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.databricks.clock import ManualClock

AWS_SECONDS, DATABRICKS_SECONDS = 0.02, 0.15
"""What a call takes that nothing befalls."""

HTTP = ("databricks", "token", "tickets")
"""Services that are called by requests; the others by boto3."""

_READS = ("Get", "List", "Describe", "Query", "Scan", "Head", "BatchGet", "AssumeRole")


class Killed(BaseException):
    """The Lambda ends here, whatever it was doing. `error` is what Step Functions hears."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error)
        self.error, self.cause = error, cause


@dataclass(frozen=True)
class Call:
    """One call that leaves the product: "kms" "CreateKey", "databricks" "POST /api/2.0/clusters/delete"."""

    service: str
    operation: str
    function: str
    number: int
    """Its place among the calls of this invocation, from 0."""

    @property
    def changing(self) -> bool:
        if self.service in HTTP:
            return self.service != "token" and not self.operation.startswith("GET ")
        return not self.operation.startswith(_READS)


class Fault(Protocol):
    """What befalls calls. Both may raise; `before` may also do something else first."""

    def before(self, call: Call) -> None: ...

    def after(self, call: Call) -> None:
        """The call was done, and its answer is on the way."""


@dataclass
class Invocation:
    """One Lambda at work."""

    function: str
    ends_at: float
    calls: int = 0
    killed: Killed | None = None


@dataclass
class Boundary:
    """The one place that every call passes. Outside an invocation, and inside the simulator, nothing befalls a call."""

    clock: ManualClock
    faults: list[Fault] = field(default_factory=list)
    log: list[Call] = field(default_factory=list)
    at_work: list[Invocation] = field(default_factory=list)
    elsewhere: int = 0

    @property
    def watching(self) -> bool:
        return bool(self.at_work) and not self.elsewhere

    @contextmanager
    def outside(self) -> Iterator[None]:
        """What is called in here is not the product's doing."""
        self.elsewhere += 1
        try:
            yield
        finally:
            self.elsewhere -= 1

    def passing(self, service: str, operation: str, send: Callable[[], Any]) -> Any:
        if not self.watching:
            return send()
        invocation = self.at_work[-1]
        self._live(invocation)
        call = Call(service, operation, invocation.function, invocation.calls)
        invocation.calls += 1
        self.log.append(call)
        self.clock.advance(DATABRICKS_SECONDS if service in HTTP else AWS_SECONDS)
        try:
            for fault in list(self.faults):
                fault.before(call)
            self._live(invocation)
            with self.outside():
                answer = send()
            for fault in list(self.faults):
                fault.after(call)
        except Killed as killed:
            invocation.killed = killed
            raise
        return answer

    def _live(self, invocation: Invocation) -> None:
        """A dead process does not tidy up after itself."""
        if invocation.killed is None and self.clock.now() > invocation.ends_at:
            invocation.killed = Killed("Sandbox.Timedout", "Task timed out after 120.00 seconds")
        if invocation.killed is not None:
            raise invocation.killed
