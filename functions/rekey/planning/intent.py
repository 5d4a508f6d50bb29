"""What a request means for its workspace: decided once, from these two alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rekey.databricks import Workspace
from rekey.model.refusal import Refusal
from rekey.model.request import ACCESS, Operation, Request, UseCase
from rekey.model.use_cases import USE_CASES


@dataclass(frozen=True, slots=True)
class Intent:
    """The operation and its use cases, with the reasons for what the request left open."""

    operation: Operation
    use_cases: tuple[UseCase, ...]
    why: tuple[str, ...]
    nothing_left: Refusal | None = None
    """Why there is nothing to do; then there are no use cases either."""

    @property
    def creates(self) -> bool:
        return self.operation == "create_workspace"

    @property
    def renews(self) -> bool:
        return self.operation == "rotate_material"

    @property
    def changes_access(self) -> bool:
        """Whether Databricks' access to the workspace's keys is taken away, or given back."""
        return self.operation in ACCESS

    @property
    def replaces(self) -> bool:
        return self.operation == "rotate"

    @property
    def gives_storage(self) -> bool:
        """Whether the workspace gets a STORAGE key that it had not."""
        return self.operation in ("add", "create_workspace") and "STORAGE" in self.use_cases


NOTHING_LEFT: Mapping[Operation, Refusal] = {
    **{
        each: Refusal("operation", f"{each} is not possible, the workspace has no key of yours", "leave it as it is")
        for each in ACCESS
    },
    "rotate_material": Refusal(
        "operation",
        "rotate_material is not possible, the workspace has no key",
        'ask for operation "add" to give it one',
    ),
    "add": Refusal(
        "operation",
        "add is not possible, the workspace has every key that it can have",
        'ask for operation "rotate", which changes the MANAGED_SERVICES key',
    ),
}


def decide(request: Request, workspace: Workspace) -> Intent:
    """A new workspace is given as it is wished for: without keys."""
    possible = USE_CASES[:1] if workspace.serverless else USE_CASES
    missing = [each for each in possible if workspace.configuration_id(each) is None]
    has_managed = "MANAGED_SERVICES" not in missing
    operation = request.operation or ("rotate" if has_managed else "add")
    why = []
    if request.operation is None:
        seen = "already has a" if has_managed else "has no"
        why.append(f"operation: {operation}, because the workspace {seen} MANAGED_SERVICES key")
    use_cases = request.use_cases or _left_open(operation, possible, missing)
    if not use_cases:
        return Intent(operation, (), tuple(why), NOTHING_LEFT[operation])
    if request.use_cases is None:
        why.append(f"use_cases: {' + '.join(use_cases)}, {_because(operation, workspace)}")
    return Intent(operation, tuple(each for each in USE_CASES if each in use_cases), tuple(why))


def _left_open(operation: Operation, possible: Sequence[UseCase], missing: Sequence[UseCase]) -> Sequence[UseCase]:
    """The use cases of a request that names none. Never empty but for the operations of NOTHING_LEFT."""
    match operation:
        case "rotate":
            return ("MANAGED_SERVICES",)
        case "rotate_material" | "revoke" | "restore":
            return [each for each in possible if each not in missing]
        case "add" | "create_workspace":
            return missing


def _because(operation: Operation, workspace: Workspace) -> str:
    if operation != "create_workspace":
        return f"because that is what {operation} can do here"
    if workspace.serverless:
        return "which protects a SERVERLESS workspace's default storage too"
    return "because a new workspace can have both from its first day"
