"""What a person should know of a rotation: a code for programs, and the sentence beside it."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class FindingCode(StrEnum):
    """Every kind of finding. What is decided, is decided on these."""

    NEW_KEY_KEPT = "new_key_kept"
    """An added key shows that the rollback cannot remove."""
    WORKSPACE_LEFT = "workspace_left"
    """A new workspace of a failed rotation is there and needs a person."""
    SECOND_WORKSPACE = "second_workspace"
    """One wish made two workspaces."""
    KEY_STAYS = "key_stays"
    """A failed rotation's key stays enabled for good, or while another rotation has it."""
    OLD_KEY_UNUSABLE = "old_key_unusable"
    """The key to go back to cannot be used, so the workspace stays on the new one."""
    KEY_WAITS = "key_waits"
    """A failed rotation's key is disabled after the grace period."""
    KEY_NOT_DISABLED = "key_not_disabled"
    """KMS refused to disable a key at once; the key check asks again."""
    POLICY_STAYS = "policy_stays"
    """A given key's policy keeps what the rotation added to it."""
    CONFIGURATION_STAYS = "configuration_stays"
    """A key configuration that the rotation made stays registered."""
    STARTED_MEANWHILE = "started_meanwhile"
    """Somebody started compute in the downtime; it was stopped again."""
    UNSURE = "unsure"
    """Nobody can tell whether something runs on classic compute, so it was treated as if it did."""
    NOT_PAUSED = "not_paused"
    """A trigger could not be paused."""
    MAY_RUN = "may_run"
    """Something that was asked to stop does not say whether it still holds instances."""
    LOST = "lost"
    """Something is gone that should have come back."""
    NOT_BACK = "not_back"
    """Something was not back when the rotation ended."""
    ORPHAN = "orphan"
    """A key was found that a crash left behind."""
    ROTATION_WAS_OFF = "rotation_was_off"
    """Somebody switched off the new key's automatic rotation, and it was switched on again."""
    STATEMENTS_STAY = "statements_stay"
    """A statement of a key's policy that may let Databricks in is not Databricks' own, and stays."""
    NOTEBOOKS = "notebooks"
    """Notebooks could not be renewed."""
    LET_BE = "let_be"
    """A person decided that something stays undone."""
    EARLIER = "earlier"
    """Written by a version that knew no codes."""


class Finding(BaseModel):
    """One of them. The text is a sentence for a person; what it says is nobody's to parse."""

    model_config = ConfigDict(frozen=True)

    code: FindingCode
    text: str

    def __str__(self) -> str:
        return self.text

    @model_validator(mode="before")
    @classmethod
    def _earlier(cls, written: Any) -> Any:
        return {"code": FindingCode.EARLIER, "text": written} if isinstance(written, str) else written
