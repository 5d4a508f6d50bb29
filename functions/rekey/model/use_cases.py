"""The two use cases of a key, and where a workspace names the configuration of each."""

from collections.abc import Mapping

from rekey.model.request import UseCase

USE_CASES: tuple[UseCase, ...] = ("MANAGED_SERVICES", "STORAGE")

KEY_FIELDS: Mapping[UseCase, str] = {
    "MANAGED_SERVICES": "managed_services_customer_managed_key_id",
    "STORAGE": "storage_customer_managed_key_id",
}
"""The field of Databricks' workspace object that names the key configuration of each use case."""
