"""A synthesized template, asked in the stack's own words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LAMBDAS = (
    "plan_rotation",
    "record_refusal",
    "ask_approval",
    "answer_approval",
    "cancel_rotation",
    "publish_events",
    "rotate_material",
    "revoke_access",
    "restore_access",
    "create_key",
    "set_policy",
    "register_config",
    "create_workspace",
    "pause_triggers",
    "terminate_compute",
    "patch_workspace",
    "verify",
    "restart_compute",
    "list_notebooks",
    "renew_notebooks",
    "complete_rotation",
    "roll_back",
    "record_failure",
    "carry_on",
    "disable_old_key",
    "reenable_key",
    "list_keys",
    "adopt_key",
    "inventory",
    "find_drift",
    "doctor",
    "plan_fleet",
    "open_wave",
    "judge_wave",
    "ask_fleet",
    "steer_fleet",
    "report_fleet",
)


@dataclass(frozen=True)
class Statement:
    """One statement of a role, with its actions and resources as lists."""

    actions: list[str]
    resources: list[Any]
    conditions: dict[str, Any]


@dataclass(frozen=True)
class Template:
    body: dict[str, Any]

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """{logical id: properties} of every resource of one type."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.body["Resources"].items()
            if resource["Type"] == kind
        }

    def only(self, kind: str) -> dict[str, Any]:
        [properties] = self.all(kind).values()
        return properties

    def resource(self, name: str) -> dict[str, Any]:
        resource: dict[str, Any] = self.body["Resources"][name]
        return resource

    def function(self, name: str) -> dict[str, Any]:
        """The properties of a Lambda, by the name of its file in functions/."""
        [properties] = [
            function
            for function in self.all("AWS::Lambda::Function").values()
            if function["Handler"].endswith(f".{name}.handler")
        ]
        return properties

    def role_of(self, name: str) -> str:
        """The logical id of a Lambda's role."""
        role: str = self.function(name)["Role"]["Fn::GetAtt"][0]
        return role

    def statements_of(self, name: str) -> list[Statement]:
        """Everything a Lambda's role may do."""
        return self.of_role(self.role_of(name))

    def of_role(self, role: str) -> list[Statement]:
        """Everything a role may do, by its logical id."""
        return list(self._statements(role))

    def actions_of(self, name: str) -> set[str]:
        return {action for statement in self.statements_of(name) for action in statement.actions}

    def all_statements(self) -> Iterator[Statement]:
        """The statements of every role and policy of the stack."""
        for role in self.all("AWS::IAM::Role"):
            yield from self._statements(role)
        for policy in self.all("AWS::IAM::Policy").values():
            yield from _parse(policy["PolicyDocument"])

    def denials_of(self, name: str) -> list[Statement]:
        """What a Lambda's role is denied, whatever else it has."""
        return list(self._statements(self.role_of(name), "Deny"))

    def _statements(self, role: str, effect: str = "Allow") -> Iterator[Statement]:
        for policy in self.resource(role)["Properties"].get("Policies", []):
            yield from _parse(policy["PolicyDocument"], effect)


def _parse(document: dict[str, Any], effect: str = "Allow") -> Iterator[Statement]:
    for statement in document["Statement"]:
        assert statement["Effect"] in ("Allow", "Deny")
        if statement["Effect"] != effect:
            continue
        yield Statement(
            actions=_listed(statement["Action"]),
            resources=_listed(statement["Resource"]),
            conditions=statement.get("Condition", {}),
        )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
