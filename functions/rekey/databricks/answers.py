"""What Databricks' answers say, in whichever shape they come: the APIs' and the token endpoints' alike.

Errors come as {"error_code", "message"} (the code may be a number), as {"message": "CODE: text"} from the account API,
as SCIM's {"detail", "scimType"}, OAuth's {"error", "error_description"}, plain text, HTML or nothing at all
(databricks-sdk-py errors/deserializer.py; databricks-sdk-go#777, #998; omnigent-ai/omnigent#4463).
In data, null and absent are the same (terraform-provider-databricks' fixtures have both).
"""

import html
import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from rekey.base import clock
from rekey.base.errors import DatabricksError, DatabricksUnavailable, OutcomeUnknown, RekeyError

Json = dict[str, Any]

UNKNOWN = "UNKNOWN"
"""The state or type of an object that came without one."""

_CODE_PREFIX = re.compile(r"^([A-Z][A-Z_]{3,}): ?(.*)$", re.DOTALL)
_MESSAGE_FIELDS = ("message", "error_description", "errorSummary", "detail", "error")
_REASON_HEADER = "X-Databricks-Reason-Phrase"
_MESSAGE_LENGTH = 500
_PAGE_LENGTH = 200
_MOST_BYTES = 50_000
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style|title)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SECRET = re.compile(r"eyJ[\w-]{10,}[\w.-]*|\b(?:dapi|dose)[0-9a-f]{16,}[\w-]*")
"""JWTs, personal access tokens and OAuth secrets: a refusal may quote what it refuses."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as far as it matters for understanding its answer."""

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    body: Any = None
    changing: bool = True
    """Whether sending it a second time could do something twice."""

    def lost(self, why: str, **facts: Any) -> RekeyError:
        """The error for an answer from which nobody can tell what became of the request."""
        if self.changing:
            return OutcomeUnknown(f"{why} The change may have been applied.", **facts)
        return DatabricksUnavailable(why, **facts)


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer that is no acceptance says. `code` is "" where there is none, or only a number."""

    status: int
    code: str
    message: str
    page: bool
    """Whether it is an HTML page, which need not come from Databricks at all."""
    retry_after: float | None
    """Seconds."""


def read_error(response: requests.Response) -> Said:
    """Reads an error answer, without tokens, tags and more than 500 characters (200 of a page)."""
    text = response.content[:_MOST_BYTES].decode(errors="replace").strip()
    page = text.startswith("<") or "text/html" in response.headers.get("Content-Type", "")
    code, message = ("", _plain(text)) if page else _code_and_message(text)
    if not (code or page) and (match := _CODE_PREFIX.match(message)):
        code, message = match.groups()
    message = message or response.headers.get(_REASON_HEADER) or response.reason or ""
    message = _SECRET.sub("<token>", " ".join(message.split()))[: _PAGE_LENGTH if page else _MESSAGE_LENGTH]
    return Said(response.status_code, code, message, page, _retry_after(response))


def accepted(response: requests.Response, asked: Asked) -> Any:
    """The JSON of a 2xx answer without its nulls. {} for an empty one, which accepts a change but holds no data."""
    if not response.content.strip():
        if asked.changing:
            return {}
        raise DatabricksUnavailable(f"Databricks answered {asked.method} {asked.path} with nothing at all.")
    try:
        answer = _parse(response.content)
    except (ValueError, RecursionError):
        said = read_error(response)
        where = f"Databricks answered {asked.method} {asked.path} ({said.status})"
        if not said.page:
            raise asked.lost(f"{where} with broken JSON.", status=said.status) from None
        text = f"{where} with a page instead of JSON: {said.message}."
        if asked.changing:
            raise asked.lost(text, status=said.status) from None
        raise DatabricksError(
            f"{text} Fix: check the host, and what is between it and rekey.", status=said.status
        ) from None
    return {} if answer is None else answer


def record(answer: Any) -> Json:
    """An answer that is one object; {} for null. Raises DatabricksError where it is something else."""
    if not answer:
        return {}
    if not isinstance(answer, dict):
        raise DatabricksError(f"Databricks answered with {_a(answer)} where an object was expected.")
    return answer


def records(answer: Any, name: str | None = None) -> list[Json]:
    """The objects of a list, which is the whole answer or its field `name`. null, absent and empty are the same.

    What is no object is passed over and logged. Raises DatabricksError where there is no list at all.
    """
    found = record(answer).get(name) if name else answer
    if not found:
        return []
    if not isinstance(found, list):
        raise DatabricksError(f"Databricks answered with {_a(found)} where a list of {name or 'objects'} was expected.")
    return _without([each for each in found if isinstance(each, dict)], found, "are no objects", name)


def identified(found: Sequence[Json], field: str, name: str | None = None) -> list[Json]:
    """Those that carry their id. One without can be neither asked for nor changed: it is passed over and logged."""
    return _without([each for each in found if each.get(field)], found, f"have no {field}", name)


def _without(kept: list[Json], found: Sequence[Any], why: str, name: str | None) -> list[Json]:
    if missing := len(found) - len(kept):
        _logger.warning(f"{missing} of {len(found)} {name or 'objects'} that Databricks listed {why}: passed over")
    return kept


def _a(answer: Any) -> str:
    return f"a {type(answer).__name__}"


def _parse(text: str | bytes) -> Any:
    return json.loads(text, object_pairs_hook=lambda pairs: {name: value for name, value in pairs if value is not None})


def _code_and_message(text: str) -> tuple[str, str]:
    try:
        body = _parse(text)
    except (ValueError, RecursionError):
        return "", text
    if isinstance(body, str):
        return "", body
    if not isinstance(body, dict):
        return "", text
    inner = body.get("error")
    if isinstance(inner, dict):
        body = {**body, **inner}
    codes = (body.get(name) for name in ("error_code", "errorCode"))
    # The HTTP status may stand where a code is expected, as a number or as text.
    code = next((each for each in codes if isinstance(each, str) and not each.strip().isdigit()), "")
    texts = (body.get(name) for name in _MESSAGE_FIELDS)
    message = next((each if isinstance(each, str) else json.dumps(each) for each in texts if each), "")
    return code.strip(), f"{body['scimType']} {message}" if isinstance(body.get("scimType"), str) else message


def _plain(page: str) -> str:
    """Title and text of an HTML page."""
    title = _TITLE.search(page)
    text = _TAG.sub(" ", _UNSEEN.sub(" ", page)).strip()
    return html.unescape(": ".join(each.strip() for each in (title.group(1) if title else "", text) if each.strip()))


def _retry_after(response: requests.Response) -> float | None:
    """Seconds from a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    header = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - clock.now()).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
