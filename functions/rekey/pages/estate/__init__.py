"""estate.html: the whole estate on one page that needs nothing from outside, drawn from the inventory alone.

Its one script filters and sorts the rows; without it they are all there, in order.
"""

from pathlib import Path

from rekey.model.inventory import Inventory
from rekey.pages.estate.ages import ages
from rekey.pages.estate.due import due
from rekey.pages.estate.rows import controls, rows
from rekey.pages.estate.summary import reasons, summary
from rekey.pages.evidence import STYLE, policy
from rekey.pages.evidence.html import Child, Markup, css_text, raw, tag

HERE = Path(__file__).parent
OWN_STYLE = (HERE / "page.css").read_text(encoding="utf-8")
SCRIPT = (HERE / "page.js").read_text(encoding="utf-8")


def render(inventory: Inventory, *, rotations: str | None = None) -> str:
    """The page. `rotations` is where the rotations' folders are from it; None where it lies somewhere else."""
    styles = (STYLE, OWN_STYLE, _paper(inventory))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(*styles, scripts=[SCRIPT])),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"Databricks workspaces and their keys, {inventory.taken_at[:10]}"),
        [tag("style", raw(each)) for each in styles],
    )
    sections: list[tuple[str, list[Child]]] = [
        ("Why some do not comply", reasons(inventory)),
        ("Age of key material", ages(inventory)),
        ("Due in the next 90 days", due(inventory)),
        ("Workspaces", [controls(inventory), rows(inventory, rotations)]),
    ]
    shown = [(title, body) for title, body in sections if body]
    links = [tag("li", tag("a", title, href=f"#{_anchor(title)}")) for title, _ in shown]
    contents = tag("nav", tag("ul", links), aria_label="Contents")
    main = tag("main", summary(inventory), contents, [_section(*each) for each in shown])
    body = tag("body", main, _colophon(inventory), tag("script", raw(SCRIPT)))
    return f"<!doctype html>\n{tag('html', head, body, lang='en').text}\n"


def _paper(inventory: Inventory) -> str:
    """The day and the page's number on each printed page."""
    name = css_text(f"Workspaces and their keys, {inventory.taken_at[:10]}")
    number = '"Page " counter(page) " of " counter(pages)'
    return f"@page {{ @bottom-left {{ content: {name} }} @bottom-right {{ content: {number} }} }}"


def _section(title: str, body: list[Child]) -> Markup:
    name = _anchor(title)
    return tag("section", tag("h2", title, id=name), body, aria_labelledby=name)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _colophon(inventory: Inventory) -> Markup:
    account = tag("code", inventory.databricks_account_id)
    told = "Drawn from inventory/latest.json, which has everything in full, in the evidence bucket. Times are UTC."
    return tag("footer", tag("p", "Databricks account ", account, ". ", told))
