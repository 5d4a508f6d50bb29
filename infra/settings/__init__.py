"""The stack's settings: read from CDK context (cdk.json, or -c rekey:name=value) and checked first."""

from infra.settings.explain import PREFIX, SettingsError
from infra.settings.model import Settings
from infra.settings.operation import RetentionDays

__all__ = ["PREFIX", "RetentionDays", "Settings", "SettingsError"]
