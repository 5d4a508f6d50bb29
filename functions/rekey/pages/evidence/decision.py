"""What was asked and by whom, what was decided and why, and what is still to come."""

from collections.abc import Mapping
from typing import Any

from rekey.base.words import counted
from rekey.model.fates import Fate, fates
from rekey.pages.evidence.html import Child, Markup, tag
from rekey.pages.evidence.summary import findings
from rekey.pages.evidence.wording import NOTHING, code, facts, listed, moment, name, plain

Evidence = Mapping[str, Any]

_SOURCES = {
    "new": "a new key, made for this rotation",
    "brought": "your own key, which the request names",
    "configuration": "the key of a registered configuration",
}

_NETWORKS = {"customer": "customer-managed", "databricks": "Databricks-managed"}


def asked(evidence: Evidence) -> list[Child]:
    """Every field of the request that was given."""
    given = [(field, value) for field, value in evidence["request"].items() if value not in (None, False)]
    return [
        facts([(field.replace("_", " "), tag("bdi", plain(value))) for field, value in given]),
        tag("p", "Started as the execution ", code(evidence["execution_arn"]), ".", class_="note"),
    ]


def decided(evidence: Evidence) -> list[Child]:
    """The plan, made before anything was touched, and its reasons."""
    plan = evidence["plan"]
    stops = [counted(number, kind.removesuffix("s")) for kind, number in plan["would_stop"].items() if number]
    return [
        facts(
            [
                ("operation", plan["operation"].replace("_", " ")),
                ("use cases", ", ".join(plan["use_cases"]) or NOTHING),
                ("key", _SOURCES.get(plan["key_source"], plan["key_source"])),
                ("region", plan["region"]),
                ("network", _NETWORKS.get(plan["network"], plan["network"])),
                ("start", moment(plan["start_at"])),
                ("compute to stop", ", ".join(stops) or "none"),
            ]
        ),
        tag("h3", "Reasons"),
        listed([tag("bdi", each) for each in plan["why"]]),
    ]


def to_come(evidence: Evidence) -> list[Child]:
    """What becomes of the keys, and what a person has to look at."""
    return [
        tag("h3", "The keys"),
        _fates(evidence),
        tag("h3", "Open findings"),
        findings(evidence),
    ]


def _fates(evidence: Evidence) -> list[Markup]:
    found = [_fate(each) for each in fates(evidence)]
    return found or [tag("p", "No key was replaced: none will be disabled.")]


def _fate(fate: Fate) -> Markup:
    who: list[Child] = [tag("strong", fate.role.capitalize()), " ", code(fate.key_arn)]
    if fate.due is None:
        return tag("p", who, ": ", name(fate.words), ".")
    return tag(
        "div",
        tag("p", who, ": the scheduled key check disables it, at the earliest at ", moment(fate.due)),
        tag("p", "and only if at that time all of this holds:"),
        listed(
            [
                "the grace period since the proven switch is over;",
                "no workspace of the Databricks account refers to the key;",
                "the key is not registered for STORAGE;",
                "the key carries the tag of rekey.",
            ]
        ),
        tag("p", "It is disabled, which can be undone. Nothing ever schedules a key for deletion."),
    )
