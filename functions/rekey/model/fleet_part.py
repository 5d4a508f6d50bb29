"""What a rotation's request says of the fleet that it is part of."""

from pydantic import BaseModel, ConfigDict


class PartOfFleet(BaseModel):
    """The fleet, by its plan, and who approved it. Only stepfunctions/rotate_fleet.asl.json gives it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    plan_sha256: str
    approved_by: str | None = None
