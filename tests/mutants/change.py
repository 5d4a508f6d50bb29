"""One change to the code: a piece of a file that reads otherwise."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    id: str
    """File, place and kind, and its number among those: the same as long as that place stays as it is."""
    path: str
    """From the repository's root."""
    start: int
    end: int
    new: str
    """What stands there instead of the bytes from start to end."""
    says: str
    lines: tuple[int, ...] = ()
    """Where it is, for the tests that run it. Empty: the tests of its ground, whatever they run."""
    make: Callable[[bytes], bytes] | None = None
    """Makes the whole file, where a piece of text is not what changes."""

    @property
    def room(self) -> str:
        """`rekey/rotation`, `tickets`, `the state machine`."""
        folder = Path(self.path).parent.as_posix()
        if self.path.endswith(".asl.json"):
            return "the state machine"
        if self.path.startswith("infra/"):
            return "permissions"
        return folder.removeprefix("functions/") if folder != "functions/rekey" else "rekey/runtime"

    def made(self, source: bytes) -> bytes:
        """The whole file after it."""
        if self.make:
            return self.make(source)
        return source[: self.start] + self.new.encode() + source[self.end :]


def said(old: str, new: str, around: int = 24, most: int = 90) -> str:
    """Both, where they differ."""
    before, after = _one_line(old), _one_line(new)
    same = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    begin = max(0, same - around) if max(len(before), len(after)) > most else 0
    return f"`{_cut(before, begin, most)}` becomes `{_cut(after, begin, most)}`"


def _cut(text: str, begin: int, most: int) -> str:
    end = "…" if len(text) > begin + most else ""
    return f"{'…' if begin else ''}{text[begin : begin + most]}{end}".replace("`", "'")


def _one_line(text: str) -> str:
    return re.sub(r"(?<=[(\[{]) | (?=[)\]}])", "", " ".join(text.split()))
