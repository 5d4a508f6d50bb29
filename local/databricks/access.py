"""Access lists: networks that Databricks does not let in, at its account, its workspaces and its token endpoints.

ISSUE omnigent-ai/omnigent#4463: 403 {"error_code": 403, "message": "Source IP address: ... is blocked by Databricks IP
ACL for workspace: ..."}, at the token endpoint and the discovery documents too. CODE databricks-sdk-py
errors/private_link.py: behind PrivateLink a request is sent to /login.html?error=private-link-validation-error:...,
as a redirect that looks like success. GAP: what the account's own list says; here, "for account".
"""

import re
import uuid
from typing import Literal

from fastapi import Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import Field

from local.databricks.wish import Wish

Door = Literal["account", "workspace", "token"]
CodeReading = Literal["number", "text"]

LOGIN_PAGE = "/login.html"
_TOKEN = re.compile(r"/oidc/|/\.well-known/")


class AccessList(Wish):
    """Keeps the caller out `at` some doors, of one workspace if it names one, else of the account and all workspaces.
    Of the kind private_link it sends the caller to a login page. `address` is the caller's, as Databricks sees it."""

    kind: Literal["ip_acl", "private_link"] = "ip_acl"
    at: list[Door] = Field(default=["account", "workspace", "token"], min_length=1)
    workspace_id: int | None = None
    address: str = "198.51.100.7"

    def keeps_out(self, path: str, workspace_id: int | None) -> bool:
        """Whether of a request to `path`, at a workspace's host or (None) the account's."""
        door: Door = "token" if _TOKEN.search(path) else "account" if workspace_id is None else "workspace"
        return door in self.at and self.workspace_id in (None, workspace_id)

    def answer(self, account_id: str, workspace_id: int | None, code: CodeReading) -> Response:
        if self.kind == "private_link":
            error = f"private-link-validation-error:{workspace_id or account_id}"
            return RedirectResponse(f"{LOGIN_PAGE}?error={error}", status_code=302)
        where = f"account: {account_id}" if workspace_id is None else f"workspace: {workspace_id}"
        text = f"Source IP address: {self.address} is blocked by Databricks IP ACL for {where} [ReqId: {uuid.uuid4()}]"
        return JSONResponse({"error_code": 403 if code == "number" else "PERMISSION_DENIED", "message": text}, 403)
