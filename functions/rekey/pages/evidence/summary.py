"""The first screen: what came of the rotation, which key gave way to which, who asked and approved, what is proven."""

from collections.abc import Iterator, Mapping
from typing import Any

from rekey.base.words import counted
from rekey.model.actions import Action
from rekey.model.attention import down_now
from rekey.model.chain import Verdict
from rekey.model.fates import workspace_on
from rekey.pages.evidence.html import Child, Markup, tag
from rekey.pages.evidence.wording import NOTHING, OPERATIONS, code, duration, facts, listed, moment, name

Evidence = Mapping[str, Any]

_ACCESS = ("revoke", "restore")
_LOOKS = {"succeeded": "good", "needs_attention": "amber"}


def summary(evidence: Evidence, verdict: Verdict) -> Markup:
    """Title, status, the change, and facts."""
    done, tried = OPERATIONS.get(evidence["plan"]["operation"], ("Rotation", "Rotation"))
    word, about = status(evidence)
    return tag(
        "header",
        tag("p", "Evidence of a key rotation · rekey", class_="kind"),
        tag("h1", done if evidence["status"] == "succeeded" else tried, ": ", name(evidence["workspace"]["name"])),
        tag(
            "section",
            tag("p", tag("strong", word), class_="word"),
            tag("div", [tag("p", each) for each in about]),
            class_=f"status {_LOOKS.get(outcome_of(evidence), 'bad')}",
            aria_label="Status",
        ),
        _change(evidence),
        facts(_facts(evidence, verdict), class_="facts"),
    )


def status(evidence: Evidence) -> tuple[str, list[Child]]:
    """The status in a word or two, and what it means."""
    if evidence["status"] == "succeeded":
        return _succeeded(evidence)
    failure = evidence["failure"] or {}
    cause = tag("bdi", str(failure.get("cause", "no cause was recorded")))
    about: list[Child] = [
        [f"Failed in “{failure.get('state', 'unknown')}” ({failure.get('error', 'unknown')}): ", cause]
    ]
    if evidence["workspace"]["workspace_id"] is None:
        return "Failed", [*about, "No new workspace was seen."]
    if evidence["plan"]["operation"] in _ACCESS:
        return "Not proven" if _changed_at(evidence) else "Failed", [*about, *_access(evidence)]
    if evidence["plan"]["operation"] == "rotate_material":
        return "Failed", [*about, "The key is the same, and nothing was interrupted."]
    on = workspace_on(evidence)
    if on == "unknown":
        return "Failed", [*about, "Which keys the workspace is on now could not be read.", _compute(evidence)]
    if on == "old":
        return "Failed, rolled back", [*about, "The workspace is on the keys it had before.", _compute(evidence)]
    return "Failed, on the new key", [*about, "The workspace is on the new key.", _compute(evidence)]


def _succeeded(evidence: Evidence) -> tuple[str, list[Child]]:
    times, plan = evidence["timeline"], evidence["plan"]
    if plan["operation"] in _ACCESS:
        return ("Succeeded, with findings" if evidence["findings"] else "Succeeded"), list(_access(evidence))
    if plan["operation"] == "rotate_material":
        what: list[Child] = ["KMS renewed the material of the key, whose ARN is the same. Nothing was interrupted."]
    else:
        uses = " and ".join(plan["use_cases"])
        what = [
            [f"The workspace has used its new key for {uses} since ", moment(times["switched"]), ". "],
            [
                "The switch was proven at ",
                moment(times["switch_verified"]),
                ": notebooks were written and read under it.",
            ],
        ]
    parts: list[Child] = [what, _compute(evidence)]
    if outcome_of(evidence) == "needs_attention":
        return "Succeeded, needs attention", [*parts, *([tag("bdi", each)] for each in evidence["attention"])]
    if evidence["findings"]:
        return "Succeeded, with findings", [*parts, "The findings below need nothing done."]
    return "Succeeded", parts


def _access(evidence: Evidence) -> Iterator[Child]:
    """What became of Databricks' access, and how it was proven."""
    revokes = evidence["plan"]["operation"] == "revoke"
    if changed_at := _changed_at(evidence):
        where = "out of" if revokes else "back in"
        yield [f"Databricks' statements are {where} the policy of every key since ", moment(changed_at), "."]
    else:
        yield "Databricks' statements are not known to be changed at every key."
    proven = _entry(evidence, Action.ACCESS_PROVEN)
    if proven and revokes:
        seconds = proven["detail"].get("seconds")
        yield f"The canary read no more {duration(seconds or 0)} later, once Databricks had let its data keys go."
    elif proven:
        yield "What was written before reads again, and new data was written and read."
    yield "No compute was touched: what runs was left as it is."


def _changed_at(evidence: Evidence) -> str | None:
    found = _entry(evidence, Action.ACCESS_CHANGED)
    return str(found["at"]) if found else None


def _entry(evidence: Evidence, action: Action) -> Mapping[str, Any] | None:
    return next((each for each in evidence["audit"]["entries"] if each["action"] == action), None)


def outcome_of(evidence: Evidence) -> str:
    """The outcome; evidence of an earlier version has the status alone."""
    return str(evidence.get("outcome", evidence["status"]))


def _compute(evidence: Evidence) -> str:
    if evidence["compute"]["interrupted"] is None:
        return "No compute was touched."
    if now := down_now(evidence["compute"].get("still_down") or {}):
        return f"The downtime was not over when the rotation ended: {now}."
    down = evidence["downtime_seconds"]
    if down is None:
        if evidence["timeline"]["blackout_started"] is None:
            return "No compute was stopped."
        return "Not all compute was seen to be back: see the findings."
    compared = evidence["compute"]["compared"]
    if compared is None:
        return f"Compute was down for {duration(down)}; how it is now could not be read."
    if missing := sum(each["back"] is False for each in compared):
        return f"Compute was down for {duration(down)}. {counted(missing, 'resource')} did not come back, see below."
    return f"Compute was down for {duration(down)} and is back."


def _change(evidence: Evidence) -> Markup | None:
    """Each use case that the rotation is about: key before → key after."""
    rows = list(_changes(evidence))
    return tag("dl", rows, class_="change") if rows else None


def _changes(evidence: Evidence) -> Iterator[Markup]:
    before, after = evidence["keys"]["before"] or {}, evidence["keys"]["after"]
    for use_case in evidence["plan"]["use_cases"]:
        now = "could not be read" if after is None else _key(after.get(use_case))
        then = _key(before.get(use_case))
        arrow = tag("span", "→", class_="arrow", aria_hidden="true")
        sides = [tag("span", then, class_="side"), arrow, tag("span", now, class_="side")]
        yield tag("div", tag("dt", f"{use_case}, key before and after"), tag("dd", sides))


def _key(field: Mapping[str, Any] | None) -> Child:
    return code(field["key_arn"]) if field else "no key"


def _facts(evidence: Evidence, verdict: Verdict) -> list[tuple[str, Child]]:
    request, times, approval = evidence["request"], evidence["timeline"], evidence.get("approval")
    ticket = request.get("ticket")
    return [
        ("Requested by", name(request.get("requested_by"))),
        ("Approved by", name(approval["by"]) if approval else _not_approved(evidence)),
        ("Hash chain", _chain(verdict)),
        ("Findings", tag("a", counted(len(evidence["findings"]), "finding"), href="#still-to-come")),
        ("Began", moment(times["opened"])),
        ("Ended", moment(times["ended"])),
        ("Downtime", _downtime(evidence)),
        ("Ticket", name(f"{ticket['provider']} {ticket['key']}") if ticket else NOTHING),
        ("Workspace", [name(evidence["workspace"]["name"]), " ", code(_text(evidence["workspace"]["workspace_id"]))]),
        ("Use cases", ", ".join(evidence["plan"]["use_cases"]) or NOTHING),
        ("Rotation", code(evidence["rotation_id"])),
    ]


def _not_approved(evidence: Evidence) -> Child:
    alone = evidence["plan"].get("alone")
    return tag("strong", "nobody: break-glass") if alone else "no approval was asked for"


def _chain(verdict: Verdict) -> Child:
    if not verdict.holds:
        return tag("strong", "does not hold, see Proof")
    return f"holds ({verdict.entries:,} entries{', sealed' if verdict.sealed else ', no seal'})"


def _downtime(evidence: Evidence) -> str:
    down = evidence["downtime_seconds"]
    if now := down_now(evidence["compute"].get("still_down") or {}):
        return f"not over: {now}"
    return NOTHING if down is None else duration(down)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def findings(evidence: Evidence) -> Markup:
    """What a person should look at."""
    found = evidence["findings"]
    if not found:
        return tag("p", "No open findings.")
    return listed([tag("bdi", each) for each in found], class_="findings")
