"""The customer's KMS keys as Databricks meets them: policy first, then state, then the real operation.

The emulator has no cross-account KMS, so the key policy is evaluated here for Databricks' own account, and the
operation is then done with local credentials.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.databricks.crypto.policy import Caller, allows
from rekey.base.arns import account_of, region_of

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

KmsFactory = Callable[[str, str], "KMSClient"]
"""From an account and a region to a client for them."""

MANAGED_SERVICES_ACTIONS = ("kms:Encrypt", "kms:Decrypt")
STORAGE_ACTIONS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:DescribeKey",
)
VOLUME_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant", "kms:DescribeKey")

_STATE_ERRORS = {"Disabled": "DisabledException", "PendingDeletion": "KMSInvalidStateException"}


class KeyUnusable(Exception):
    """KMS would refuse this use of a key. `code` is KMS' error code, e.g. AccessDeniedException."""

    def __init__(self, key_arn: str, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.key_arn = key_arn
        self.code = code
        self.detail = detail

    @property
    def is_about_state(self) -> bool:
        """The key exists and is disabled, pending deletion or the like."""
        return self.code in ("DisabledException", "KMSInvalidStateException")


def clients(endpoint_url: str | None, own_account: str) -> KmsFactory:
    """KMS clients, one an account and region, that answer or fail within seconds.

    The simulator's credentials are of `own_account`; the emulator takes a 12-digit access key as that account's root.
    """
    made: dict[tuple[str, str], KMSClient] = {}

    def client(account: str, region: str) -> "KMSClient":
        if (account, region) not in made:
            config = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})
            root = {} if account == own_account else {"aws_access_key_id": account, "aws_secret_access_key": "root"}
            made[account, region] = boto3.client(  # type: ignore[call-overload]
                "kms", region_name=region, endpoint_url=endpoint_url, config=config, **root
            )
        return made[account, region]

    return client


class CustomerKeys:
    """Uses of customers' keys from one workspace's region. Every method raises KeyUnusable."""

    def __init__(self, factory: KmsFactory, region: str, databricks: Caller, context: dict[str, str]) -> None:
        self._factory = factory
        self._region = region
        self._databricks = databricks
        self._context = context

    def encrypt(self, key_arn: str, plaintext: bytes, actions: tuple[str, ...]) -> bytes:
        """Ciphertext of `plaintext` (at most 4 KB), if Databricks may do all of `actions`."""
        self._check_or_try(key_arn, actions, "encrypt", Plaintext=plaintext, EncryptionContext=self._context)
        answer = self._call(key_arn, "encrypt", Plaintext=plaintext, EncryptionContext=self._context)
        return bytes(answer["CiphertextBlob"])

    def decrypt(self, key_arn: str, ciphertext: bytes) -> bytes:
        """What `ciphertext` hides, if Databricks may decrypt."""
        arguments = {"CiphertextBlob": ciphertext, "EncryptionContext": self._context}
        self._check_or_try(key_arn, ("kms:Decrypt",), "decrypt", **arguments)
        answer = self._call(key_arn, "decrypt", CiphertextBlob=ciphertext, EncryptionContext=self._context)
        return bytes(answer["Plaintext"])

    def data_key(self, key_arn: str) -> tuple[bytes, bytes]:
        """A new (data key, the same wrapped), as S3 asks for one for an object of the root bucket."""
        self.check(key_arn, STORAGE_ACTIONS)
        answer = self._call(key_arn, "generate_data_key", KeySpec="AES_256", EncryptionContext=self._context)
        return bytes(answer["Plaintext"]), bytes(answer["CiphertextBlob"])

    def _check_or_try(self, key_arn: str, actions: tuple[str, ...], operation: str, **arguments: Any) -> None:
        """As `check`. A use that only the key's state forbids is sent all the same: a trail must see it refused."""
        try:
            self.check(key_arn, actions)
        except KeyUnusable as unusable:
            if unusable.is_about_state:
                self._call(key_arn, operation, **arguments)
            raise

    def check(self, key_arn: str, actions: tuple[str, ...], caller: Caller | None = None) -> None:
        """Whether the key is in this region, its policy allows each action, and it is enabled."""
        if region_of(key_arn) != self._region:
            raise KeyUnusable(key_arn, "NotFoundException", f"the key is not in region {self._region}")
        policy = json.loads(self._call(key_arn, "get_key_policy")["Policy"])
        who = caller or self._databricks
        for action in actions:
            if not allows(policy, who, action, key_arn):
                raise KeyUnusable(key_arn, "AccessDeniedException", f"{who.arn} is not authorized to {action}")
        state = self._call(key_arn, "describe_key")["KeyMetadata"]["KeyState"]
        if state != "Enabled":
            code = _STATE_ERRORS.get(state, "KMSInvalidStateException")
            raise KeyUnusable(key_arn, code, f"{key_arn} is {state}")

    def state(self, key_arn: str) -> str:
        """KMS' key state, e.g. Enabled or Disabled, whatever the policy says to Databricks."""
        return str(self._call(key_arn, "describe_key")["KeyMetadata"]["KeyState"])

    def _call(self, key_arn: str, operation: str, **arguments: Any) -> Any:
        extra = {"PolicyName": "default"} if operation == "get_key_policy" else {}
        try:
            kms = self._factory(account_of(key_arn), self._region)
            return getattr(kms, operation)(KeyId=key_arn, **extra, **arguments)
        except ClientError as error:
            found = error.response.get("Error", {})
            raise KeyUnusable(key_arn, found.get("Code", "Unknown"), found.get("Message", "")) from error
        except BotoCoreError as error:
            raise KeyUnusable(key_arn, "KMSUnavailable", str(error)) from error
