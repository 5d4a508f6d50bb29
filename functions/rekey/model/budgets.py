"""How long each loop over compute may go on, decided with the plan: by how much there is to be stopped and started."""

from pydantic import BaseModel, ConfigDict

OUTAGE_SECONDS = 7_200
"""Of 429 or 503 to everything, which only makes a rotation slower."""

WORK_SECONDS = 1_800
"""For compute to stop or to come up, however little there is."""

OBJECT_SECONDS = 0.5
"""For each object: Databricks accepts two requests a second at least."""

MOST_SECONDS = 14_400
"""Of stopping, and of bringing back; what is not done by then is the rollback's, or a finding."""

LONGEST_DRAIN_SECONDS = 14_400
"""The most that a request may ask for (drain_minutes)."""


class Budgets(BaseModel):
    """Seconds. The state machine reads them; a plan that an earlier version made has those of an empty workspace."""

    model_config = ConfigDict(frozen=True)

    pause: int = WORK_SECONDS + OUTAGE_SECONDS
    """Pause triggers, with the drain."""
    terminate: int = WORK_SECONDS + OUTAGE_SECONDS
    restart: int = WORK_SECONDS + OUTAGE_SECONDS
    """Restart compute, and Restore compute."""


MOST = Budgets(
    pause=LONGEST_DRAIN_SECONDS + OUTAGE_SECONDS + WORK_SECONDS, terminate=MOST_SECONDS, restart=MOST_SECONDS
)
"""What the machine's own time limit is reckoned with."""


def budgets_for(objects: int, drain_seconds: int) -> Budgets:
    """`objects` is everything that is to be stopped, paused and brought back."""
    needed = WORK_SECONDS + OUTAGE_SECONDS + round(OBJECT_SECONDS * objects)
    return Budgets(
        pause=min(needed + drain_seconds, MOST.pause),
        terminate=min(needed, MOST.terminate),
        restart=min(needed, MOST.restart),
    )
