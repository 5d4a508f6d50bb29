"""What cfn-lint's rule E3601 knows of the Amazon States Language: fields that JSONata states may not have, and more."""

from typing import Any

from tests.workflow.asl import Machine
from tests.workflow.lint import lint_definition
from tests.workflow.mutations import broken, put, rest


def test_cfn_lint_finds_nothing() -> None:
    assert lint_definition(Machine.load()) == []


def test_cfn_lint_finds_what_is_wrong() -> None:
    def change(definition: dict[str, Any]) -> None:
        put("Verify", "InputPath", value="$.x")(definition)
        put("Settle wait", "Type", value="Sleep")(definition)
        rest("StartAt", "Nowhere")(definition)

    found = "\n".join(lint_definition(broken(change)))
    assert "InputPath" in found
    assert "Sleep" in found
    assert "Nowhere" in found
