"""ServiceNow: a business rule signs what comes in (docs/servicenow_business_rule.js), the Table API takes comments."""

from collections.abc import Mapping
from typing import Any

from rekey.telling.tickets.errors import NoSuchTicket, TicketSystemUnavailable
from rekey.telling.tickets.settings import Credentials, TicketSettings
from rekey.telling.tickets.signatures import Headers, verify_standard
from rekey.telling.tickets.systems import Delivery, Http, Ticket, inner, key_of, parse_object

_KEY = r"[A-Z]{2,10}[0-9]{4,12}"


class ServiceNow:
    """https://docs.servicenow.com, "Table API". A record is found by its number, which people know it by."""

    key_pattern = _KEY
    longest_comment = 4_000
    """What a journal takes by default ("Journal field type"); it may cut off the rest without a word."""
    default_mapping: Mapping[str, str] = {
        "workspace_id": "whole(u_databricks_workspace_id.value)",
        "operation": "u_key_operation.value",
        "use_cases": "split(u_key_use_cases.value, ',')",
        "not_before": "utc(start_date.value)",
        "reason": "short_description.value",
        "requested_by": "requested_by.display_value || opened_by.display_value",
    }

    def __init__(self, settings: TicketSettings, credentials: Credentials) -> None:
        self._settings = settings
        self._secrets = credentials.usable_secrets
        basic = (credentials.username, credentials.password) if credentials.username else None
        self._http = Http("ServiceNow", settings.base_url, basic, credentials.api_token)

    def receive(self, headers: Headers, body: bytes) -> Delivery:
        webhook_id = verify_standard(self._secrets, headers, body)
        return Delivery(key_of(parse_object(body).get("number"), _KEY, "number", "CHG0031337"), webhook_id)

    def read(self, key: str) -> Ticket:
        record = self._record(key)
        # The group that a change is assigned to is what comes nearest to a project.
        return Ticket(
            key=str(inner(record, "number", "value")),
            project=str(inner(record, "assignment_group", "display_value")),
            status=str(inner(record, "approval", "value")),
            approvers=self._approvers(str(inner(record, "sys_id", "value"))),
            document=record,
        )

    def has_comment(self, key: str, marker: str) -> bool:
        """A journal field's display value is all its entries. A list of them is empty for who may not see them, too."""
        field = self._settings.comment_field
        entries = inner(self._record(key), field, "display_value")
        if not isinstance(entries, str):
            raise TicketSystemUnavailable(
                f"{field}: ServiceNow hides it from rekey's user, so whether a comment is there cannot be seen. "
                f"Fix: let the user read {self._settings.table}.{field}."
            )
        return marker in entries

    def comment(self, key: str, paragraphs: list[str]) -> None:
        sys_id = str(inner(self._record(key), "sys_id", "value"))
        # In a journal [code] switches to HTML: what rekey tells is text and nothing else.
        text = "\n\n".join(paragraphs).replace("[code]", "(code)").replace("[/code]", "(/code)")
        self._http.call(
            "PATCH",
            f"/api/now/table/{self._settings.table}/{sys_id}",
            query={"sysparm_fields": "sys_id"},
            body={self._settings.comment_field: text},
        )

    def _record(self, key: str) -> dict[str, Any]:
        found = self._rows(self._settings.table, f"number={key}")
        if not found:
            raise NoSuchTicket(
                f"number: ServiceNow shows rekey no {self._settings.table} {key}. "
                "Fix: let rekey's user read the table, and name the right one in rekey:tickets."
            )
        return dict(found[0])

    def _approvers(self, sys_id: str) -> frozenset[str]:
        """User names of those who approved."""
        query = f"sysapproval={sys_id}^state=approved"
        found = self._rows("sysapproval_approver", query, fields="approver.user_name")
        return frozenset(str(inner(each, "approver.user_name", "value")) for each in found)

    def _rows(self, table: str, query: str, fields: str = "") -> list[Any]:
        parameters = {
            "sysparm_query": query,
            "sysparm_display_value": "all",
            "sysparm_exclude_reference_link": "true",
            "sysparm_limit": "100",
            **({"sysparm_fields": fields} if fields else {}),
        }
        rows = inner(self._http.call("GET", f"/api/now/table/{table}", query=parameters), "result")
        if not isinstance(rows, list):
            raise TicketSystemUnavailable("ServiceNow answered something other than a list of records.")
        return rows
