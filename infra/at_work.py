"""Whether rotation(s) at work, for which the code must not be changed beneath them: `make deploy` asks first."""

import json
import os
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

ROOT = Path(__file__).resolve().parent.parent


def at_work(client: "SFNClient", name: str) -> list[str]:
    """Names of the running executions of the stack's state machine; none where there is no such stack yet."""
    pages = client.get_paginator("list_state_machines").paginate()
    machines = [each for page in pages for each in page["stateMachines"] if each["name"] == f"{name}-rotate-key"]
    return [
        each["name"]
        for machine in machines
        for page in client.get_paginator("list_executions").paginate(
            stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"
        )
        for each in page["executions"]
    ]


def refusal(running: list[str]) -> str:
    """What to say where rotation(s) at work; empty where none is."""
    if not running:
        return ""
    named = ", ".join(sorted(running)[:10])
    return (
        f"{len(running)} rotation(s) at work: {named}. Their executions keep the state machine that they began with, "
        "but would go on with other Lambdas. Fix: wait for them, or cancel those that only wait (rekey cancel); "
        "where the release notes say that they may go on, AT_WORK=allowed"
    )


def stack_name(arguments: list[str], context: Mapping[str, object]) -> str:
    """rekey:name as the command line gives it, else as cdk.json does."""
    given = [each.partition("=")[2] for each in arguments if each.startswith("rekey:name=")]
    return given[-1] if given else str(context["rekey:name"])


def profile(arguments: list[str]) -> str | None:
    """The profile that the CDK command line is told to use."""
    following = dict(pairwise(arguments))
    given = [each.partition("=")[2] for each in arguments if each.startswith("--profile=")]
    return given[-1] if given else following.get("--profile")


def main(arguments: list[str]) -> None:
    if os.environ.get("AT_WORK") == "allowed":
        return
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    try:
        client = boto3.Session(profile_name=profile(arguments)).client("stepfunctions")
        said = refusal(at_work(client, stack_name(arguments, context)))
    except (BotoCoreError, ClientError) as error:
        said = f"whether rotation(s) at work could not be seen: {error}. Fix: allow states:List*, or AT_WORK=allowed"
    if said:
        sys.exit(f"rekey: {said}")


if __name__ == "__main__":
    main(sys.argv[1:])
