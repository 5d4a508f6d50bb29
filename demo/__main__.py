"""`python -m demo`: what `make run` runs. The last line is one JSON object, the exit status 0 when all held."""

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from cli.stack import StackError, find
from cli.wording import duration
from demo.clients import Clients
from demo.estate import seed_bare
from demo.evidence import shown
from demo.model import DemoError, Json
from demo.old_key import OldKeyWatch
from demo.result import Result, nothing_came_of_it, sum_up
from demo.rotations import describe, rotate
from demo.screen import Screen
from demo.seeding import seed
from demo.summary import summary
from local.cloud import CloudError, LocalCloud, Scales, cloud, down
from local.cloud.model import ROOT
from local.cloud.processes import is_running, tail
from local.cloud.side_door import SideDoor

SCALES = Scales(minute=1 / 30, day=1 / 3600)
"""The longer rotation takes about a minute, then comes the first key check: the old key's day is over by then."""

FOLDER = ROOT / ".rekey"
MARKER = "demo"
LOG_LINES = 12
FAILED = 1
STOPPED_BY_CTRL_C = 130


def main() -> int:
    """Run the demo. Gives the exit status."""
    screen = Screen()
    state_file = FOLDER / f"demo-{os.getpid()}.json"
    folder = state_file.with_suffix("")
    last_line, status = nothing_came_of_it(), FAILED
    try:
        with _leaving_also_on_hang_up():
            _clear_away_earlier_ones()
            result = _run(screen, state_file)
        last_line, status = result.as_json(), 0 if result.held else FAILED
    except (CloudError, DemoError, StackError) as error:
        screen.say(f"\n{error}", "red")
    except (BotoCoreError, ClientError) as error:
        screen.say(f"\nThe AWS emulator refused, or did not answer: {error}", "red")
    except OSError as error:
        screen.say(f"\nA file could not be written: {error}. Fix: run it in a folder that you may write to.", "red")
    except KeyboardInterrupt:
        screen.say("\nStopped. Nothing is left running.")
        status = STOPPED_BY_CTRL_C
    except SystemExit:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if status == FAILED:
        screen.say(f"The logs are in {shown(folder)}.")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    _write(last_line)
    return status


def _run(screen: Screen, state_file: Path) -> Result:
    screen.say("Starting AWS and Databricks on this machine, and deploying the stack:", "bold")
    with cloud(SCALES, state_file, screen.say) as running, _undisturbed_end():
        began = time.monotonic()
        result = _rotate(running, screen, state_file)
        screen.print(summary(result))
        screen.say(f"It took {duration(time.monotonic() - began)} after set-up.", "dim")
        if not result.held:
            _explain(screen, result, running)
    return result


def _rotate(running: LocalCloud, screen: Screen, state_file: Path) -> Result:
    clients, door = Clients.of(running), SideDoor(running.simulator_url)
    subjects = seed(running, door, clients.kms)
    seed_bare(door)
    [old_key_arn] = [each.old_key_arn for each in subjects if each.old_key_arn]
    watch = OldKeyWatch(old_key_arn, clients.kms, clients.dynamodb, running.ledger_table)
    screen.say("\nOne workspace gets its first keys, another a new managed-services key, the third none:", "bold")
    screen.say(f"  {describe(running.scales)}\n", "dim")
    with screen.following():
        now = rotate(running, subjects, clients.sfn, watch, screen.show)
    screen.finish(now)
    return sum_up(now, door, clients, find("rekey", local=True, state_file=state_file))


def _explain(screen: Screen, result: Result, running: LocalCloud) -> None:
    """Why, as far as it is known, and the end of the log in which more is."""
    for outcome in result.outcomes:
        if not outcome.execution.succeeded:
            screen.say(f"\n{outcome.subject.rotation_id}: {outcome.execution.error or outcome.execution.status}", "red")
            screen.say(outcome.execution.cause or "No cause was given.")
    screen.say(f"\n{tail(Path(running.emulator_log), LOG_LINES)}", "dim")


def _write(last_line: Json) -> None:
    sys.stdout.write(json.dumps(last_line) + "\n")
    sys.stdout.flush()


def _clear_away_earlier_ones() -> None:
    """Stop clouds of demos that were killed before they could do so, and drop the logs of those that failed."""
    for left in FOLDER.glob("demo-*"):
        pid = left.stem.removeprefix("demo-")
        if pid.isdigit() and not is_running(int(pid), MARKER):
            down(left.with_suffix(".json"))
            shutil.rmtree(left.with_suffix(""), ignore_errors=True)


@contextlib.contextmanager
def _undisturbed_end() -> Iterator[None]:
    """After a first Ctrl-C a second one must not interrupt the stopping, or children would outlive this process."""
    try:
        yield
    except BaseException:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise


@contextlib.contextmanager
def _leaving_also_on_hang_up() -> Iterator[None]:
    """Let a closed terminal end the demo as Ctrl-C does; by default Python would stop at once and clean up nothing."""

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGHUP, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


if __name__ == "__main__":
    sys.exit(main())
