"""HTML that cannot be injected into: a text becomes markup only through `tag`, which escapes it.

The standard library instead of a template engine: Jinja2 would make up a fifth of the Lambda's import time.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Markup:
    """Finished HTML. Made by `tag`, by `joined`, and by `raw` for the page's own constants; nowhere else."""

    text: str


Child = Markup | str | int | float | None | Iterable["Child"]

VOID = frozenset({"br", "col", "input", "meta", "line", "rect"})

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls, what turns the writing direction, and what is not seen: a name must not look like another one."""


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """One element. Attribute names are the code's own: `class_` is class, `aria_label` aria-label; None leaves out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}>" if name not in ("line", "rect") else f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(children).text}</{name}>")


def joined(children: Child) -> Markup:
    """Children one after the other: texts escaped, markup as it is, None left out."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, str | int | float):
        return Markup(_escaped(str(children)))
    return Markup("".join(joined(each).text for each in children))


def raw(constant: str) -> Markup:
    """The page's own text, such as its style sheet; of the evidence only what `css_text` has made harmless."""
    return Markup(constant)


def css_text(text: str) -> str:
    """A text as a string of a style sheet: all but letters and digits as their number, so that none can end it."""
    harmless = (each if each.isascii() and each.isalnum() else f"\\{ord(each):06x}" for each in visible(text))
    return f'"{"".join(harmless)}"'


def visible(text: str) -> str:
    """The text with every character that hides, or turns what follows, written as its number."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escaped(text: str) -> str:
    return html.escape(visible(text), quote=True)
