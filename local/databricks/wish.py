"""What all request bodies of the side door have in common."""

from pydantic import BaseModel, ConfigDict


class Wish(BaseModel):
    """What it does not know is refused."""

    model_config = ConfigDict(extra="forbid")
