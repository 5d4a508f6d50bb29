"""Settings: each variable is needed, and a missing or wrong one is named."""

import pytest

from rekey.base.errors import SettingsError
from rekey.base.settings import Settings

GOOD = {
    "REKEY_STAGE": "prod",
    "LEDGER_TABLE": "rekey-ledger",
    "EVIDENCE_BUCKET": "rekey-evidence",
    "DATABRICKS_ACCOUNT_ID": "0b6a1f6e-2f3c-4a55-9c9d-0f6f5a1b2c3d",
    "DATABRICKS_ACCOUNT_HOST": "https://accounts.cloud.databricks.com/",
    "DATABRICKS_WORKSPACE_HOST": "https://{deployment_name}.cloud.databricks.com",
    "DATABRICKS_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:databricks",
    "DATABRICKS_SHARD": "commercial",
    "GRACE_SECONDS": "86400",
    "SETTLE_SECONDS": "1200",
    "EVENT_BUS": "rekey",
    "WATCH_SECONDS": "1209600",
    "REKEY_NAME": "rekey",
}


def test_hosts_are_read_without_a_trailing_slash() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.databricks_account_host == "https://accounts.cloud.databricks.com"
    assert settings.workspace_host("dbc-1") == "https://dbc-1.cloud.databricks.com"


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABRICKS_SHARD", "moon"), ("GRACE_SECONDS", "a day"), ("GRACE_SECONDS", "-1"), ("SETTLE_SECONDS", "1.5")],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({**GOOD, name: value})


@pytest.mark.parametrize(
    "changes",
    [
        {"DATABRICKS_CLIENT_ID": "id", "DATABRICKS_ROLE_ARN": "arn:role"},
        {"DATABRICKS_SECRET_ARN": "", "DATABRICKS_CLIENT_ID": "id"},
        {"DATABRICKS_SECRET_ARN": "", "DATABRICKS_ROLE_ARN": "arn:role"},
        {"DATABRICKS_CLIENT_ID": "id"},
    ],
)
def test_there_is_exactly_one_way_into_databricks(changes: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="DATABRICKS_ROLE_ARN"):
        Settings.from_env({**GOOD, **changes})


def test_a_role_takes_the_place_of_the_secret() -> None:
    role = {"DATABRICKS_SECRET_ARN": "", "DATABRICKS_CLIENT_ID": "id", "DATABRICKS_ROLE_ARN": "arn:role"}
    settings = Settings.from_env({**GOOD, **role})
    assert (settings.databricks_client_id, settings.databricks_role_arn) == ("id", "arn:role")


def test_a_grace_under_a_day_is_refused_outside_the_local_stage() -> None:
    with pytest.raises(SettingsError, match="GRACE_SECONDS"):
        Settings.from_env({**GOOD, "GRACE_SECONDS": "60"})
    assert Settings.from_env({**GOOD, "GRACE_SECONDS": "60", "REKEY_STAGE": "local"}).grace_seconds == 60


@pytest.mark.parametrize("scale", ["0", "1.5", "-1", "fast"])
def test_a_scale_that_is_none_is_named(scale: str) -> None:
    with pytest.raises(SettingsError, match="WAIT_SCALE"):
        Settings.from_env({**GOOD, "WAIT_SCALE": scale, "REKEY_STAGE": "local"})


def test_only_the_local_stage_may_shorten_its_waits() -> None:
    assert Settings.from_env(GOOD).wait_scale == 1
    assert Settings.from_env({**GOOD, "WAIT_SCALE": "0.025", "REKEY_STAGE": "local"}).wait_scale == 0.025
    with pytest.raises(SettingsError, match=r"WAIT_SCALE is 0\.025: only the local cloud"):
        Settings.from_env({**GOOD, "WAIT_SCALE": "0.025"})
