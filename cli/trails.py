"""Whether a trail tells EventBridge of refused uses of keys: KMS' read events, which some trails leave out."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from rekey.model.checks import Check

NAME = "trail"
_FIX = (
    "have a trail log management events, read and write, without excluding AWS KMS; until then the key check looks for "
    "signs every 15 minutes, and no use that is refused is seen at once"
)
_KMS = "kms.amazonaws.com"


def check(cloudtrail: Any, region: str) -> Iterator[Check]:
    """One line. A trail of the organization may not let this account look at it."""
    trails = [
        each
        for each in cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
        if each.get("IsMultiRegionTrail") or each.get("HomeRegion") == region
    ]
    unknown = []
    for trail in trails:
        try:
            if not cloudtrail.get_trail_status(Name=trail["TrailARN"]).get("IsLogging"):
                continue
            if logs_reads(cloudtrail.get_event_selectors(TrailName=trail["TrailARN"])):
                yield Check(name=NAME, ok=True, said=f"{trail['Name']} logs KMS' read events")
                return
        except ClientError as error:
            unknown.append(f"{trail['Name']} ({error.response.get('Error', {}).get('Code', '')})")
    if unknown:
        yield Check(name=NAME, ok=None, said=f"cannot be told of {', '.join(unknown)}", fix=_FIX)
    else:
        said = f"none of {len(trails)} trails logs KMS' read events" if trails else "there is no trail"
        yield Check(name=NAME, ok=False, said=said, fix=_FIX)


def logs_reads(selectors: Mapping[str, Any]) -> bool:
    """Whether KMS' read-only management events are logged (CloudTrail user guide, "Logging management events")."""
    return any(map(_plain, selectors.get("EventSelectors") or ())) or any(
        map(_advanced, selectors.get("AdvancedEventSelectors") or ())
    )


def _plain(selector: Mapping[str, Any]) -> bool:
    return (
        selector.get("IncludeManagementEvents", True)
        and selector.get("ReadWriteType", "All") in ("All", "ReadOnly")
        and _KMS not in selector.get("ExcludeManagementEventSources", ())
    )


def _advanced(selector: Mapping[str, Any]) -> bool:
    """A field that is not named lets everything through."""
    fields = {each["Field"]: each for each in selector.get("FieldSelectors", ())}
    source = fields.get("eventSource", {})
    return (
        "Management" in fields.get("eventCategory", {}).get("Equals", ())
        and fields.get("readOnly", {}).get("Equals", ["true"]) == ["true"]
        and _KMS not in source.get("NotEquals", ())
        and _KMS in source.get("Equals", [_KMS])
    )
