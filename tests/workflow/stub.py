"""The Lambda that stands in for every step: it answers as the execution's script says, and notes what it was sent.

It runs under AWS's own runtime client, and raises rekey's own classes: their names reach the state machine as in AWS.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from rekey.base import errors
from rekey.model.failure import readable


def handler(event: dict[str, Any], _: object) -> Any:
    """Answer the nth call of a step with the nth answer of its script; the last one answers all that follow."""
    step, folder = os.environ["STEP"], Path(os.environ["SCRIPTS"]) / event["rotation_id"]
    calls = folder / f"{step}.calls"
    # A Map's calls are side by side: each is the nth by where its own line ends.
    with calls.open("ab", buffering=0) as log:
        log.write(json.dumps(event).encode() + b"\n")
        end = log.tell()
    number = calls.read_bytes()[:end].count(b"\n")
    answers = json.loads((folder / "script.json").read_text())[step]
    answer = answers[min(number, len(answers)) - 1]
    # The emulator waits for a line of log after each call, and waits longer when there is none.
    print(step, flush=True)  # noqa: T201
    if "raise" in answer:
        raise getattr(errors, answer["raise"])(answer["message"])
    if "crash" in answer:
        os._exit(1)
    if "hang" in answer:
        time.sleep(answer["hang"])
    if "explain" in answer:
        failure = event["failure"]
        cause = readable(failure["cause"])
        return {"failure": {**failure, "cause": f"{failure['state']}: {cause}" if answer["explain"] else cause}}
    return answer.get("return")
