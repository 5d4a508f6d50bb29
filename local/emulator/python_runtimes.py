"""Python runtimes as AWS has them: its own runtime client calls the handler, and an error keeps its class' name.

MiniStack runs them by a script of its own, which calls every error Runtime.HandlerError. Here they run as `provided`
ones do, with local/runtime's bootstrap and this interpreter. Their layers are left out: they are built for AWS'
processor and its Python, and this interpreter has what is in them.
Source: Lambda developer guide, "Building Lambda functions with Python".
"""

import io
import os
import sys
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from ministack.services import lambda_svc  # type: ignore[import-untyped]

BOOTSTRAP = Path(__file__).resolve().parent.parent / "runtime" / "bootstrap"


def run_by_the_runtime_client() -> None:
    """Have functions of Python runtimes run under AWS' runtime client."""
    # The bootstrap asks for it; a stack of stage local tells each of its functions.
    os.environ.setdefault("PYTHON", sys.executable)
    execute = lambda_svc._execute_function_dispatch

    def dispatch(function: dict[str, Any], config: dict[str, Any], *more: Any) -> Any:
        code = function.get("code_zip")
        if not code or not str(config.get("Runtime", "")).startswith("python"):
            return execute(function, config, *more)
        changed = {**config, "Runtime": "provided.al2023", "Layers": []}
        return execute({**function, "config": changed, "code_zip": _with_bootstrap(code)}, changed, *more)

    lambda_svc._execute_function_dispatch = dispatch


@lru_cache(maxsize=8)
def _with_bootstrap(code: bytes) -> bytes:
    packed = io.BytesIO(code)
    with zipfile.ZipFile(packed, "a") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, BOOTSTRAP.read_bytes())
    return packed.getvalue()
