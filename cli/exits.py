"""Exit statuses, and what each means: by themselves, so that --help needs nothing else."""

from collections.abc import Mapping

DONE = 0
FAILED = 1
USAGE = 2
GOES_ON = 3
NEEDS_ATTENTION = 4
NOT_VERIFIED = 5
INTERRUPTED = 130

EXIT_CODES: Mapping[int, str] = {
    DONE: "done: it succeeded, is possible, was started, or ended as it was asked to",
    FAILED: "failed or refused; the message says why",
    USAGE: "the command was typed wrongly, or the request contradicts itself; nothing was started",
    GOES_ON: "looked once (status --no-follow, fleet status, finish): it is still under way",
    NEEDS_ATTENTION: "the rotation succeeded and leaves something to a person; the findings say what",
    NOT_VERIFIED: "evidence --verify: nothing is wrong with it, and not all of it could be checked",
    INTERRUPTED: "Ctrl-C: rekey let go; a rotation that was started goes on",
}
