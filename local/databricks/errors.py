"""Databricks' two ways to say no: the account API's and the workspace API's."""

from fastapi import Response
from fastapi.responses import JSONResponse


class ApiError(Exception):
    """A refusal, rendered by the API it happens in.

    `empty` sends only the status: Databricks was seen to do so (databricks-sdk-go#777). Without a `code` there is only
    the text.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        empty: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.empty = empty
        self.headers = headers or {}


def render(error: ApiError, path: str) -> Response:
    """The error as the API at `path` words it.

    Account API: {"message": "CODE: text"}, without error_code (body captured in a public issue of the AWS quick
    start). Workspace API: {"error_code": "CODE", "message": "text"}.
    """
    if error.empty:
        return Response(status_code=error.status, headers=error.headers)
    if not error.code:
        content = {"message": error.message}
    elif is_account_path(path):
        content = {"message": f"{error.code}: {error.message}"}
    else:
        content = {"error_code": error.code, "message": error.message}
    return JSONResponse(content, status_code=error.status, headers=error.headers)


def is_account_path(path: str) -> bool:
    """Whether `path` belongs to the account API."""
    return path.startswith("/api/2.0/accounts/")


def malformed(message: str) -> ApiError:
    """400, the request itself is wrong."""
    return ApiError(400, "MALFORMED_REQUEST", message)


def invalid_parameter(message: str) -> ApiError:
    """400, a value is wrong."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def invalid_state(message: str, status: int = 400) -> ApiError:
    """The world is not ready for that."""
    return ApiError(status, "INVALID_STATE", message)


def missing(message: str) -> ApiError:
    """404."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def already_exists(message: str) -> ApiError:
    """400 as the workspace API words it."""
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", message)
