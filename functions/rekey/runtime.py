"""The frame of every Lambda: settings, ledger, logs, and our names for errors."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, cast

from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext

from rekey.aws import clients
from rekey.base.errors import LeaseLost
from rekey.base.observability import count, flush, identify, logger, tracer
from rekey.base.settings import Settings
from rekey.ledger import Ledger
from rekey.model.answers import Answer, Progress
from rekey.rotation.down import tell_down
from rekey.rotation.entrance import enter
from rekey.rotation.patience import passes
from rekey.rotation.step import Step, StepEvent


@lru_cache(maxsize=1)
def current_settings() -> Settings:
    return Settings.from_env()


def open_ledger(settings: Settings) -> Ledger:
    return Ledger(clients.dynamodb(), settings.ledger_table)


HELD_UP_SECONDS = 30
"""When a step that an error holds up is called again: an outage of hours must not fill an execution's history."""

Result = dict[str, Any]
"""What Lambda makes JSON of."""


def observed(function: Callable[[Any], Answer]) -> Callable[[Any, LambdaContext], Result]:
    """A Lambda handler around a function of the event."""
    return framed(wraps(function)(lambda event, _: function(event)))


def framed(function: Callable[[Any, LambdaContext], Answer]) -> Callable[[Any, LambdaContext], Result]:
    """A Lambda handler around a function of the event and Lambda's context: logs, trace, metrics, and our names for
    AWS' errors. Its answer is dumped to JSON here and nowhere else."""

    @tracer.capture_lambda_handler(capture_response=False)
    @logger.inject_lambda_context(clear_state=True)
    @wraps(function)
    def handler(event: Any, context: LambdaContext) -> Result:
        try:
            with clients.named_errors():
                answer = function(event, context)
        except Exception as error:
            logger.exception(f"{type(error).__name__}: {error}")
            raise
        finally:
            flush()
        result = answer.model_dump(mode="json")
        logger.info("done", result=result)
        return result

    return cast("Callable[[Any, LambdaContext], Result]", handler)


def step(
    function: Callable[[Step], Answer],
    *,
    begins: bool = True,
    ends: bool = False,
    patient: type[Progress] | None = None,
    proven: bool = False,
) -> Callable[[Any, LambdaContext], Result]:
    """A Lambda handler around one step of a rotation. Nothing is done unless the lease is still held.

    `begins` is False for what comes before the window: the rotation has not begun by it. `ends` is True for what may be
    called once it has ended: any other step has nothing to do then, and no lease to do it under. `patient` is what a
    level-triggered step answers: then an error that passes is no error, but what is waited for, and the step's loop
    counts it against its budget. In the rollback every error is waited for: nobody else would bring compute back.
    `proven` is True for the step that comes after the proof: what hinders it takes nothing back.
    """

    def waits_out(error: Exception, *, rolling_back: bool) -> bool:
        return patient is not None and passes(error, "back" if rolling_back else "end" if proven else "forward")

    def run(event: StepEvent, context: LambdaContext) -> Answer:
        settings = current_settings()
        ledger = open_ledger(settings)
        rotation = ledger.load(event.rotation_id)
        identify(rotation_id=rotation.rotation_id, workspace_id=rotation.workspace_id)
        if not rotation.ended:
            ledger.check_lease(rotation)
        elif begins and not ends:
            raise LeaseLost(f"The rotation has ended ({rotation.status}): nothing more was changed.")
        if begins and event.failure is None:
            rotation = enter(ledger, rotation)
        at_work = Step(settings, ledger, rotation, event, lambda: context.get_remaining_time_in_millis() / 1000)
        try:
            with clients.named_errors():
                answer = function(at_work)
        except Exception as error:
            if patient is None or not waits_out(error, rolling_back=at_work.rotation.failure is not None):
                raise
            answer = _held_up(patient, error)
        if patient is not None:
            tell_down(at_work)
        return answer

    @wraps(function)
    def waiting(raw: Any, context: LambdaContext) -> Answer:
        event = parse(event=raw, model=StepEvent)
        # Before the ledger is asked: what goes wrong there is part of the story too.
        identify(rotation_id=event.rotation_id, workspace_id=None)
        try:
            with clients.named_errors():
                return run(event, context)
        except Exception as error:
            if patient is None or not waits_out(error, rolling_back=event.failure is not None):
                raise
            return _held_up(patient, error)

    return framed(waiting)


def _held_up(patient: type[Progress], error: Exception) -> Progress:
    logger.exception("not done yet, because of an error that is waited out")
    count("StepsHeldUp")
    return patient.waiting([f"{type(error).__name__}: {error}"], poll_seconds=HELD_UP_SECONDS)
