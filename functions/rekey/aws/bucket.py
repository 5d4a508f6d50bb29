"""What rekey keeps in the evidence bucket: objects that are written once, and objects that are written anew."""

from typing import Any, TypeVar

from botocore.exceptions import ClientError
from pydantic import BaseModel

from rekey.aws import clients
from rekey.base.errors import AccessDenied, AwsUnavailable

JSON = "application/json"

_THERE_ALREADY = frozenset({"PreconditionFailed", "412"})
_CONFLICT = frozenset({"ConditionalRequestConflict", "OperationAborted"})
"""Another write of the same object was under way: "On a 409 failure, retry the upload" (S3, conditional writes)."""

_Kept = TypeVar("_Kept", bound=BaseModel)


def write_once(bucket: str, key: str, body: bytes, kind: str = JSON) -> None:
    """Put an object unless there is one already: the first one is the truth. Raises AwsUnavailable for a conflict."""
    try:
        _put(bucket, key, body, kind, IfNoneMatch="*")
    except ClientError as error:
        if clients.error_code(error) not in _THERE_ALREADY:
            raise


def put(bucket: str, key: str, body: bytes, kind: str = JSON) -> None:
    """Put an object, over what is there. Raises AwsUnavailable for a conflict."""
    _put(bucket, key, body, kind)


def read(bucket: str, key: str) -> bytes:
    """AWS' errors pass through; without s3:ListBucket a missing object is AccessDenied."""
    return clients.s3().get_object(Bucket=bucket, Key=key)["Body"].read()


def read_model(bucket: str, key: str, model: type[_Kept]) -> _Kept:
    return model.model_validate_json(read(bucket, key))


def is_missing(error: Exception) -> bool:
    """Whether an object is not there, or may not be read: without s3:ListBucket S3 says the same of both."""
    missing = isinstance(error, ClientError) and clients.error_code(error) in ("NoSuchKey", "AccessDenied")
    return missing or isinstance(error, AccessDenied)


def as_json(value: BaseModel) -> bytes:
    return value.model_dump_json(indent=2).encode()


def _put(bucket: str, key: str, body: bytes, kind: str, **condition: Any) -> None:
    try:
        clients.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind, **condition)
    except ClientError as error:
        if clients.error_code(error) in _CONFLICT:
            raise AwsUnavailable(f"s3://{bucket}/{key}: another write was under way. {error}") from error
        raise
