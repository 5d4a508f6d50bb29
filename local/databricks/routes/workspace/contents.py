"""Sealing and opening for endpoints: a key that can't be used becomes the API's error."""

import base64
import binascii

from local.databricks.crypto.kms import KeyUnusable
from local.databricks.crypto.vault import Sealed
from local.databricks.errors import invalid_parameter
from local.databricks.http import WorkspaceCall
from local.databricks.rules.keys import unreadable_error


def seal(call: WorkspaceCall, kind: str, name: str, content: bytes) -> Sealed:
    try:
        return call.workspace.vault.seal(kind, name, content, call.now)
    except KeyUnusable as unusable:
        raise unreadable_error(call.world, call.workspace, unusable) from unusable


def seal_in_storage(call: WorkspaceCall, name: str, content: bytes) -> Sealed:
    configuration = call.world.configuration(call.workspace.storage_key_id)
    try:
        return call.workspace.vault.seal_in_storage(name, content, configuration.key_arn if configuration else None)
    except KeyUnusable as unusable:
        raise unreadable_error(call.world, call.workspace, unusable) from unusable


def unseal(call: WorkspaceCall, sealed: Sealed) -> bytes:
    try:
        return call.workspace.vault.open(sealed, call.now)
    except KeyUnusable as unusable:
        raise unreadable_error(call.world, call.workspace, unusable) from unusable


def decode(text: str, name: str) -> bytes:
    """Base64 of a request field."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise invalid_parameter(f"{name} is not base64") from None


def encode(content: bytes) -> str:
    return base64.b64encode(content).decode()
