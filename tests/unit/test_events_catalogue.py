"""What events are made of: each action is one that some code writes, and a reason that a queue takes."""

import re
from pathlib import Path

from rekey.model.actions import Action, KeyAction
from rekey.telling.events.catalogue import told_actions
from rekey.telling.events.outbox import printable


def test_every_action_is_one_that_the_code_writes() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in (Path(__file__).resolve().parents[2] / "functions" / "rekey").rglob("*.py")
        if path.name != "catalogue.py"
    )
    assert {"planned", "succeeded", "failed", "cancelled", "disabled", "enabled again"} <= told_actions()
    for kind in (Action, KeyAction):
        assert [each for each in kind if not re.search(rf"\b{kind.__name__}\.{each.name}\b", code)] == []


def test_a_reason_has_nothing_that_sqs_does_not_take() -> None:
    assert printable("r9\x00\udc80 é\U0001f511") == "r9   é\U0001f511"
    assert printable("") == "?"
