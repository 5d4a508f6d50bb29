"""Odd answers that Databricks, or what stands before it, was seen to give; each an order of a fault by name.

CODE databricks-sdk-py _base_client.py (transient texts inside an error of any status), errors/parser.py and errors/
deserializer.py (HTML), oauth.py (expires_in read as a number, whatever it is); CODE databricks/cli, its test server
(expires_in as text).
"""

from typing import Any

TRANSIENT = {
    "transient_worker_environment": "Unknown worker environment WorkerEnvId(workerenv-7474)",
    "transient_no_worker_environment": "There is no worker environment with id workerenv-7474",
    "transient_no_environments": "Workspace 7474 does not have any associated worker environments",
    "transient_cluster_not_ready": "ClusterNotReadyException: Cluster is not ready",
    "transient_slow_operation": "Please try again later or try a faster operation.",
    "transient_token_bucket": "RPC token bucket limit has been exceeded.",
}
"""Texts that make an error transient, whatever its status; here it is 400."""

_TOKEN: dict[str, Any] = {"match": {"method": "POST", "path": "/v1/token"}}
_LOGIN = "<!doctype html><html><head><title>Databricks - Sign In</title></head><body></body></html>"

ODDITIES: dict[str, dict[str, Any]] = {
    "token_html": {**_TOKEN, "fault": "status", "status": 200, "body": _LOGIN},
    "token_html_error": {**_TOKEN, "fault": "status", "status": 403, "body": "<pre>Forbidden by the proxy</pre>"},
    "token_empty": {**_TOKEN, "fault": "status", "status": 200, "body": ""},
    "token_null": {**_TOKEN, "fault": "status", "status": 200, "body": "null"},
    "token_missing": {**_TOKEN, "fault": "rewrite", "absent": ["access_token"]},
    "token_without_expiry": {**_TOKEN, "fault": "rewrite", "absent": ["expires_in"]},
    "token_null_expiry": {**_TOKEN, "fault": "rewrite", "values": {"expires_in": None}},
    "token_text_expiry": {**_TOKEN, "fault": "rewrite", "values": {"expires_in": "3599"}},
    "token_fractional_expiry": {**_TOKEN, "fault": "rewrite", "values": {"expires_in": "3599.5"}},
    "token_garbled": {**_TOKEN, "fault": "garbled"},
    "redirect_loop": {"fault": "redirect"},
    "permanent_redirect": {"fault": "redirect", "status": 308},
    "not_modified": {"fault": "status", "status": 304, "body": ""},
    "not_implemented": {
        "fault": "status",
        "status": 501,
        "error_code": "NOT_IMPLEMENTED",
        "message": "Not implemented",
    },
    **{
        name: {"fault": "status", "status": 400, "error_code": "BAD_REQUEST", "message": text}
        for name, text in TRANSIENT.items()
    },
}
