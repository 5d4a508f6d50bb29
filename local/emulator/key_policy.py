"""PutKeyPolicy and GetKeyPolicy as AWS KMS has them: MiniStack 1.5.33 takes any document and gives its bytes back."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import error_response_json, json_response  # type: ignore[import-untyped]

from local.emulator.key_material import Handler
from local.emulator.policy_form import MOST_BYTES, as_shown, refused, too_large

_reads = itertools.count()


def beside(handle: Handler) -> Handler:
    """MiniStack's KMS, which refuses the policies that KMS does and shows each read in another form."""

    async def handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").split(".")[-1]
        put = json.loads(body or b"{}").get("Policy") if action in ("PutKeyPolicy", "CreateKey") else None
        if put and too_large(put):
            return error_response_json("LimitExceededException", f"A key policy has at most {MOST_BYTES} bytes.", 400)
        if put and (said := refused(put)):
            return error_response_json("MalformedPolicyDocumentException", said, 400)
        answer = await handle(method, path, headers, body, query)
        if action != "GetKeyPolicy" or answer[0] != 200:
            return answer
        shown = json.loads(answer[2])
        return json_response({**shown, "Policy": as_shown(shown["Policy"], next(_reads))})

    return handle_request
