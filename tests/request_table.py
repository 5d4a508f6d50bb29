"""The table of the request, made from the description of its fields.

python -m tests.request_table docs/request.md      writes it into the page (`make request`)
"""

import sys
from pathlib import Path

from rekey.model.request_fields import FIELDS

BEGIN, END = "<!-- request: begin -->", "<!-- request: end -->"


def table() -> str:
    rows = [f"| `{name}` | {each.meaning} | {each.left_out} |" for name, each in FIELDS.items()]
    return "\n".join(["| field | meaning | left out |", "|---|---|---|", *rows])


def with_table(page: str) -> str:
    """A page with the table between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(with_table(target.read_text(encoding="utf-8")), encoding="utf-8")
