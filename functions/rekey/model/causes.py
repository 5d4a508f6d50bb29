"""What a person reads of a rotation that failed, or was not started: four labelled lines, from the error's name.

docs/runbook.md has a section for each name, made from the same words (`make runbook`).
"""

import re
from collections.abc import Mapping

RUNBOOK = "docs/runbook.md"

OTHERWISE = "Any other error"
"""The section for an error that has none of its own: most often one of Python's, which is a defect of rekey's."""

_ASK_AGAIN = "fix what the line above names, then ask again, with the same request_id or a new one"
_LATER = "nothing is broken: ask again later, and see the service's status page if it lasts"
_LOOK_AT_COMPUTE = "look at what it waited for, stop or fix that in the workspace, then ask again"

DO: Mapping[str, str] = {
    "InvalidRequest": "correct the fields that are named, and ask again",
    "RequestRefused": "do what is named for each reason, and ask again; `rekey plan` shows whether it is enough",
    "WorkspaceNotFound": "check the number in the account console, and that rekey is in this Databricks account",
    "RotationInProgress": "look at the rotation that is named with `rekey status`; ask again once it has ended",
    "RequestIdReused": "give a new request_id, or repeat the earlier request exactly",
    "DatabricksThrottled": _LATER,
    "DatabricksUnavailable": _LATER,
    "OutcomeUnknown": "an answer was lost each time: look at the workspace in the account console, then ask again",
    "AwsUnavailable": _LATER,
    "DatabricksError": _ASK_AGAIN,
    "Unauthenticated": 'set up the login again: docs/operations.md, "Log in to Databricks"',
    "PermissionDenied": "make the service principal account admin, and admin of the workspace",
    "NetworkRefused": "let rekey's address through the access list, PrivateLink, proxy or DNS that is named",
    "NotFound": "somebody deleted it meanwhile: look in the account console, then ask again",
    "InvalidState": _ASK_AGAIN,
    "AccessDenied": "give the role or the key's policy what is denied; a statement that is named must let the role out",
    "AwsError": _ASK_AGAIN,
    "SettingsError": "correct the setting in cdk.json and deploy",
    "LeaseLost": "another rotation has the workspace: look at it with `rekey status` before anything else",
    "Cancelled": "nothing: somebody wanted it to end",
    "ExecutionEnded": "find out who stopped it (CloudTrail: StopExecution) or why it took so long, then ask again",
    "LetBe": "look at which keys the workspace is on before you let any of them go, then ask again",
    "NotApproved": "ask again, and have the plan approved with `rekey approve`",
    "WindowClosed": "ask again with a longer window, or one that begins later",
    "WorkspaceChanged": "find who changed the workspace's keys meanwhile (audit log), then ask again",
    "SwitchReverted": "Databricks went back by itself: check the key's policy and state, tell Databricks, ask again",
    "WorkspaceFailed": "fix the network or the credentials that Databricks names, then ask again under another name",
    "PolicyMismatch": "find who changed the key's policy meanwhile (CloudTrail: PutKeyPolicy), then ask again",
    "PolicyRefused": "take what KMS names out of the key's policy, or shorten it, then ask again",
    "DataStillReads": "stop the workspace's compute and watch a notebook; then Databricks support (docs/emergency.md)",
    "AccessNotProven": "open a notebook in the workspace and see whether it reads (docs/emergency.md)",
    "AccessWasNotRevoked": "nothing: rekey goes on; `rekey status` shows what it waits for (docs/emergency.md)",
    "AccessWasNotRestored": "nothing: rekey goes on; `rekey status` shows what it waits for (docs/emergency.md)",
    "RekeyError": _ASK_AGAIN,
    "ApprovalDeclined": "talk to whoever declined, then ask again and have it approved",
    "ApprovalTimedOut": "ask again, and have the plan approved within three days",
    "WorkspaceDidNotComeUp": "look at the workspace in the account console; delete it, or finish it there",
    "TriggersNotPaused": "see what it waited for (Databricks' status page, the Lambda's log), then ask again",
    "ComputeDidNotStop": _LOOK_AT_COMPUTE,
    "WorkspaceDidNotSwitch": "open a case with Databricks support with the workspace's number; ask again later",
    "SwitchNotProven": "check that the service principal may run notebooks in the workspace, then ask again",
    "RotationNotEnded": "nothing: the key is changed and rekey goes on; `rekey status` shows what it waits for",
    "MaterialWasNotRotated": "look at the key's rotations in the KMS console; ask again once none is under way",
    "States.Timeout": "see the step's log in CloudWatch for where the time went, then ask again",
    "Lambda.Unknown": "see the Lambda's log in CloudWatch: it was ended before it could answer; then ask again",
    "Lambda.TooManyRequestsException": "the account's Lambda concurrency is used up: raise it, then ask again",
    "Sandbox.Timedout": "see the Lambda's log for where the time went, then ask again",
    "Runtime.ExitError": "see the Lambda's log: most often its memory was used up (rekey:lambda_memory_mb)",
    OTHERWISE: "see the Lambda's log in CloudWatch, and report it with the log: this should not happen",
}
"""What to do, by the error's name, as far as the error alone tells."""

LIKE: Mapping[str, str] = {
    "Lambda.AWSLambdaException": "Lambda.Unknown",
    "Lambda.ClientExecutionTimeoutException": "Lambda.Unknown",
    "Lambda.SdkClientException": "Lambda.Unknown",
    "Lambda.ServiceException": "Lambda.Unknown",
}
"""Names that need the same done as another."""

NOTHING_TOUCHED = "Nothing was touched."


def section_of(error: str) -> str:
    """The heading in the runbook."""
    name = LIKE.get(error, error)
    return name if name in DO else OTHERWISE


def link(error: str) -> str:
    """docs/operations.md#policymismatch"""
    anchor = re.sub(r"[^\w\- ]", "", section_of(error).lower()).replace(" ", "-")
    return f"{RUNBOOK}#{anchor}"


def cause(happened: str, state_now: str, error: str, evidence: str, *, before: str = "") -> str:
    """The four lines. `evidence` is the command that shows more; `before` what comes before what is to be done."""
    do = f"{before}, {DO[section_of(error)]}" if before else DO[section_of(error)]
    return "\n".join(
        [
            f"What happened: {happened}",
            f"State now: {state_now}",
            f"Do this: {do}. See {link(error)}",
            f"Evidence: {evidence}",
        ]
    )
