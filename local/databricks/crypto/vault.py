"""Envelope encryption of one workspace's contents.

Managed services: objects are sealed with data keys (DEK) that are kept only wrapped under the customer's key. A
switch to another key starts a new era: its wraps are made at the switch, but what was written before is read
through the old era's wraps until the old key's 24 hours are over. What was written before there was any customer's key
stays as it was. Storage: each object has a data key of its own and keeps it for good.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from local.databricks.crypto.kms import MANAGED_SERVICES_ACTIONS, CustomerKeys, KeyUnusable


@dataclass
class Era:
    """The time in which one key (None: Databricks' own) protects what is written. `deks` by id, wrapped."""

    key_arn: str | None
    since: float
    deks: dict[int, bytes] = field(default_factory=dict)
    writing: int | None = None
    """Id of the data key for new objects; None when the key could not be used at the switch."""


@dataclass(frozen=True)
class Sealed:
    """One encrypted object."""

    kind: str
    name: str
    nonce: bytes
    ciphertext: bytes
    era: int
    dek: int
    storage_key_arn: str | None = None
    storage_data_key: bytes | None = None


Asked = dict[bytes, bytes]
"""Data keys that KMS unwrapped already for one and the same piece of work, e.g. a health check."""


class Vault:
    """Seals and opens objects. `grace` gives, at any time, the real seconds for which an old key is needed."""

    def __init__(
        self, keys: CustomerKeys, now: float, grace: Callable[[], float], cache_for: Callable[[], float]
    ) -> None:
        self.keys = keys
        self._grace = grace
        self._cache_for = cache_for
        self._cache: dict[bytes, tuple[float, bytes]] = {}
        self._next_dek = 2
        self.eras = [Era(None, now, {1: AESGCM.generate_key(256)}, 1)]

    def prepare(self, key_arn: str, now: float) -> Era:
        """The era that a switch to `key_arn` would begin: every data key in use, wrapped under it.

        Raises KeyUnusable when Databricks can't use the new key. A data key whose old key can't be used any more
        is left behind: it can then be read only through the old wrap.
        """
        deks: dict[int, bytes] = {}
        for dek in {dek for era in self.eras if era.key_arn for dek in era.deks}:
            clear = self._recover(dek)
            if clear is not None:
                deks[dek] = self.keys.encrypt(key_arn, clear, MANAGED_SERVICES_ACTIONS)
        if not deks:
            deks[self._next_dek] = self.keys.encrypt(key_arn, AESGCM.generate_key(256), MANAGED_SERVICES_ACTIONS)
            self._next_dek += 1
        return Era(key_arn, now, deks, max(deks))

    def begin(self, era: Era, at: float) -> None:
        """From `at` on, new objects belong to `era`."""
        era.since = at
        self.eras.append(era)

    def seal(self, kind: str, name: str, content: bytes, now: float, asked: Asked | None = None) -> Sealed:
        """Encrypt under the present managed-services key. Raises KeyUnusable.

        While Databricks has the data key in its cache, a write asks KMS nothing, as a read does ("DEK is cached in
        memory for several read/write operations", Databricks, "Customer-managed keys for encryption").
        """
        index = len(self.eras) - 1
        era = self.eras[index]
        if era.writing is None:
            raise KeyUnusable(str(era.key_arn), "AccessDeniedException", "the key could not be used at the switch")
        if era.key_arn and asked is None and not self._is_cached(era.deks[era.writing], now):
            self.keys.check(era.key_arn, MANAGED_SERVICES_ACTIONS)
        data_key = self._unwrap(index, era.writing, now if asked is None else None, asked)
        nonce = os.urandom(12)
        return Sealed(kind, name, nonce, AESGCM(data_key).encrypt(nonce, content, None), index, era.writing)

    def seal_in_storage(self, name: str, content: bytes, key_arn: str | None) -> Sealed:
        """Encrypt as the root bucket does: under the storage key, or S3's own. Raises KeyUnusable."""
        data_key, wrapped = self.keys.data_key(key_arn) if key_arn else (AESGCM.generate_key(256),) * 2
        nonce = os.urandom(12)
        body = AESGCM(data_key).encrypt(nonce, content, None)
        return Sealed("dbfs", name, nonce, body, -1, -1, storage_key_arn=key_arn, storage_data_key=wrapped)

    def open(self, sealed: Sealed, now: float, asked: Asked | None = None) -> bytes:
        """The object's content, asking KMS now. Raises KeyUnusable."""
        if sealed.storage_data_key is not None:
            wrapped = sealed.storage_data_key
            data_key = self.keys.decrypt(sealed.storage_key_arn, wrapped) if sealed.storage_key_arn else wrapped
        else:
            data_key = self._unwrap(self.era_of(sealed, now), sealed.dek, now if asked is None else None, asked)
        return AESGCM(data_key).decrypt(sealed.nonce, sealed.ciphertext, None)

    def key_of(self, sealed: Sealed, now: float) -> str | None:
        """ARN of the customer's key that the object needs at `now`."""
        if sealed.storage_data_key is not None:
            return sealed.storage_key_arn
        return self.eras[self.era_of(sealed, now)].key_arn

    def era_of(self, sealed: Sealed, now: float) -> int:
        """Index of the era whose wrap the object needs at `now`."""
        at = sealed.era
        if self.eras[at].key_arn is None:
            return at
        for later in range(at + 1, len(self.eras)):
            era = self.eras[later]
            if sealed.dek not in era.deks:
                continue
            rewrapped_at = era.since + self._grace()
            if era.key_arn == self.eras[at].key_arn or (
                now >= rewrapped_at and not self._switched_back(at, later, rewrapped_at)
            ):
                at = later
        return at

    def _switched_back(self, old: int, later: int, before: float) -> bool:
        """Whether the workspace returned to the old era's key before the re-wrap to the later one was due."""
        key_arn = self.eras[old].key_arn
        return any(era.key_arn == key_arn and era.since < before for era in self.eras[later + 1 :])

    def _is_cached(self, wrapped: bytes, now: float) -> bool:
        """Evicted at a regular interval, however often it is used meanwhile."""
        return wrapped in self._cache and self._cache[wrapped][0] > now

    def _recover(self, dek: int) -> bytes | None:
        """The data key through any era's wrap that can still be opened, newest first."""
        for index in reversed(range(len(self.eras))):
            if dek in self.eras[index].deks:
                try:
                    return self._unwrap(index, dek)
                except KeyUnusable:
                    continue
        return None

    def _unwrap(self, index: int, dek: int, now: float | None = None, asked: Asked | None = None) -> bytes:
        """The data key in clear; `now` given, it may come from Databricks' cache."""
        era = self.eras[index]
        wrapped = era.deks[dek]
        if era.key_arn is None:
            return wrapped
        if now is not None and self._is_cached(wrapped, now):
            return self._cache[wrapped][1]
        clear = asked.get(wrapped) if asked is not None else None
        if clear is None:
            clear = self.keys.decrypt(era.key_arn, wrapped)
            if asked is not None:
                asked[wrapped] = clear
        if now is not None and self._cache_for() > 0:
            self._cache[wrapped] = (now + self._cache_for(), clear)
        return clear
