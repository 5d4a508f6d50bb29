"""Settings: every value checked, every refusal names the setting and the fix."""

from uuid import UUID

import pytest

from infra.settings import PREFIX, Settings, SettingsError
from tests.infra.conftest import cdk_json_context

LOCAL = {"stage": "local", "local_python": "/usr/bin/python3"}


def read(**changes: object) -> Settings:
    """cdk.json's settings with some changed."""
    return Settings.from_context(cdk_json_context() | {PREFIX + name: value for name, value in changes.items()})


def test_cdk_json_has_every_setting_and_no_other() -> None:
    named = {key.removeprefix(PREFIX) for key in cdk_json_context() if key.startswith(PREFIX)}
    assert named == set(Settings.model_fields)


def test_the_defaults_are_safe() -> None:
    settings = read()
    assert (settings.settle_seconds, settings.grace_seconds) == (1200, 86_400)
    assert not settings.is_local
    assert not settings.names_a_databricks_account


def test_values_from_the_command_line_are_text() -> None:
    settings = read(settle_seconds="1800", databricks_account_id="0d26daa6-5e44-4c97-a497-ef015f91254a")
    assert settings.settle_seconds == 1800
    assert settings.databricks_account_id == UUID("0d26daa6-5e44-4c97-a497-ef015f91254a")
    assert settings.names_a_databricks_account


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("settle_seconds", 1199, "1199 is too short; give at least 1200"),
        ("grace_seconds", "86399", "86399 is too short; give at least 86400"),
        ("grace_seconds", "a day", "valid integer"),
        ("watch_seconds", 86_400, "at least 1209600"),
        ("break_glass_role_arn", "arn:aws:iam::111122223333:user/alex", "the one role that the guards"),
        ("break_glass_role_arn", "arn:aws-us-gov:iam::111122223333:role/alex", "commercial is in aws; give the ARN"),
        (
            "databricks_secret_arn",
            "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:credential-abc123",
            "is of the partition aws-cn, and commercial is in aws",
        ),
        ("databricks_account_id", "my-account", "give the Databricks account's UUID"),
        ("databricks_shard", "azure", "commercial, govcloud, govcloud-dod"),
        ("databricks_account_host", "http://127.0.0.1:1", "is not an https:// address"),
        ("databricks_workspace_host", "https://one.cloud.databricks.com", "lacks {deployment_name}"),
        ("databricks_secret_arn", "my-secret", "the full ARN of a secret"),
        ("databricks_client_id", "my-principal", "the application id (a UUID) of the service principal"),
        ("alarm_email", "alex", "an e-mail address that alarms are sent to"),
        ("log_retention_days", 8, "one of 7, 30, 90"),
        ("lambda_timeout_seconds", 150, "30 to 120"),
        ("name", "Rekey_1", "a letter first"),
        ("key_tags", {"rekey:managed": "me"}, "with rekey: rekey's own; give an object"),
        ("key_tags", {f"{number:03}": "x" * 200 for number in range(8)}, "bytes; give an object"),
        ("key_alias_prefix", "aws/keys", "names that begin with aws/ are AWS'"),
        ("key_alias_prefix", "/keys/", "with / between"),
        ("key_admin_arns", "arn:aws:iam::111122223333:user/alex", "is not the ARN of a role; give up to 10"),
        ("key_admin_arns", "arn:aws-us-gov:iam::111122223333:role/alex", "commercial is in aws; give up to 10"),
        ("key_rotation_days", 30, "KMS takes no 30 days; give 90 to 2560 days, or 0"),
        ("max_key_age_days", "0", "no age from 1 to 3650 days; give a number of days"),
        ("max_key_age_days", "STORAGE=ten", "'STORAGE=ten' is neither a number nor USE_CASE=NUMBER; give"),
        ("max_key_age_days", "DISKS=365", "'DISKS' is no use case; give a number of days"),
        (
            "fleet_window",
            "0 22 ? * SAT *",
            "'0 22 ? * SAT *' is no window; give a window of an hour or more, such as SAT",
        ),
        ("fleet_window", "SAT 22:00-04:00 Europe/Zuerich", "'Europe/Zuerich' is no time zone; give a window"),
        ("fleet_window", "23:30-00:29 UTC", "'23:30-00:29 UTC' is shorter than an hour; give a window"),
        ("fleet_hours_ahead", 72, "give 0 to 71 hours: a fleet waits for its approval for three days"),
        ("fleet_due_within_days", -1, "give 0 to 3650 days"),
        ("fleet_approval", "perhaps", "give true or false"),
        ("fleet_add", "some", "give true or false"),
        ("vpc_id", "my-vpc", "a VPC's id"),
        ("subnet_ids", "subnet-0a1b2c3d, 10.0.0.0/24", "'10.0.0.0/24' is not the id of a subnet; give up to 16 ids"),
        ("security_group_ids", ["default"], "'default' is not the id of a sg"),
        ("https_proxy", "http://me:secret@proxy:3128", "without user and password"),
        ("no_proxy", "10.0.0.0/8", "'10.0.0.0/8' is neither a host nor a .domain"),
        ("ca_bundle", "/no/such/file.pem", "'/no/such/file.pem' cannot be read as certificates"),
        ("ca_bundle", "cdk.json", "'cdk.json' cannot be read as certificates"),
        ("permissions_boundary", "arn:aws:iam::111122223333:role/boundary", "the name of a policy"),
        ("permissions_boundary", '{"name": "boundary"}', "the name of a policy of the stack's account"),
        ("permissions_boundary", "/team/boundary", "the name of a policy of the stack's account"),
        ("permissions_boundary", "arn:aws-cn:iam::111122223333:policy/b", "commercial is in aws; give the name"),
        ("role_prefix", "app/", "up to 20 letters"),
        ("role_path", "platform", "a path that begins and ends with /"),
        ("stack_tags", "cost-centre=4711", "it is not JSON; give an object such as"),
        ("stack_tags", {"aws:owner": "me"}, "'aws:owner': names that begin with aws: are AWS'"),
        ("stack_tags", {"cost|centre": "4711"}, "'cost|centre': a name has 1 to 128 characters"),
        ("bootstrap_qualifier", "my qualifier", "1 to 10 letters"),
        ("encryption_key_arn", "alias/logs", "the ARN of a symmetric KMS key (not of an alias)"),
        ("encryption_key_arn", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1", "commercial is in aws"),
        ("evidence_lock_days", 36500, "1 to 3650 days"),
        ("setle_seconds", 1200, "there is no such setting"),
    ],
)
def test_a_wrong_value_is_refused_with_its_fix(name: str, value: object, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: value})
    assert f"{PREFIX}{name}: " in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_to_give_where_it_can_be_nothing_of_the_kind(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"{PREFIX}{name}[^ ]*: .*; give "):
        read(**{name: [{"no": "such thing"}]})


@pytest.mark.parametrize(
    ("shard", "partition"), [("commercial", "aws"), ("govcloud", "aws-us-gov"), ("govcloud-dod", "aws-us-gov")]
)
def test_the_break_glass_role_is_of_the_shards_partition(shard: str, partition: str) -> None:
    """A policy that names a principal of another partition is refused by KMS, key by key."""
    for each in ("aws", "aws-us-gov"):
        role = f"arn:{each}:iam::111122223333:role/break-glass"
        if each == partition:
            assert read(databricks_shard=shard, break_glass_role_arn=role).break_glass_role_arn == role
        else:
            with pytest.raises(SettingsError, match=f"break_glass_role_arn: .*{shard} is in {partition}"):
                read(databricks_shard=shard, break_glass_role_arn=role)


def test_there_is_one_way_into_databricks() -> None:
    client_id = "3c5f3f1e-9d0b-4c43-8a55-6f2b7c1d9e10"
    secret_arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:credential-abc123"
    assert not read().is_secretless
    assert not read(databricks_secret_arn=secret_arn).is_secretless
    assert read(databricks_client_id=client_id).is_secretless
    with pytest.raises(SettingsError, match="rekey:databricks_client_id and rekey:databricks_secret_arn: give one"):
        read(databricks_client_id=client_id, databricks_secret_arn=secret_arn)


@pytest.mark.parametrize(
    ("key", "given", "said"),
    [
        ("@aws-cdk/core:permissionsBoundary", {"name": "boundary"}, "give rekey:permissions_boundary=boundary"),
        ("@aws-cdk/core:permissionsBoundary", "boundary", "give rekey:permissions_boundary=boundary"),
        ("@aws-cdk/core:bootstrapQualifier", "bank", "give rekey:bootstrap_qualifier=bank"),
    ],
)
def test_cdks_own_context_may_not_say_otherwise(key: str, given: object, said: str) -> None:
    """CDK heeds a boundary in one spelling, and drops it without a word in another."""
    with pytest.raises(SettingsError, match=said):
        Settings.from_context(cdk_json_context() | {key: given})
    name, _, value = said.removeprefix("give ").partition("=")
    Settings.from_context(cdk_json_context() | {key: given, name: value})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vpc_id": "vpc-0a1b2c3d"}, "rekey:vpc_id and rekey:subnet_ids: give both"),
        ({"subnet_ids": "subnet-0a1b2c3d"}, "rekey:vpc_id and rekey:subnet_ids: give both"),
        ({"security_group_ids": "sg-0a1b2c3d"}, "give rekey:vpc_id too"),
        (LOCAL | {"https_proxy": "http://proxy:3128"}, "leave them empty in stage local"),
    ],
)
def test_a_network_is_whole(changes: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(**changes)


def test_lists_may_be_one_text_with_commas() -> None:
    ids = ("subnet-0a1b2c3d", "subnet-1a1b2c3d")
    for given in ("subnet-0a1b2c3d, subnet-1a1b2c3d", '["subnet-0a1b2c3d", "subnet-1a1b2c3d"]', list(ids)):
        assert read(vpc_id="vpc-0a1b2c3d", subnet_ids=given).subnet_ids == ids


def test_a_roles_whole_name_fits() -> None:
    with pytest.raises(SettingsError, match="role_prefix and rekey:name: together they have 41 characters"):
        read(role_prefix="a" * 20, name="b" * 21)
    read(role_prefix="a" * 20, name="b" * 20)


def test_a_missing_setting_is_named() -> None:
    context = cdk_json_context()
    del context[PREFIX + "grace_seconds"]
    with pytest.raises(SettingsError, match="rekey:grace_seconds: missing"):
        Settings.from_context(context)


@pytest.mark.parametrize("stage", ["dev", "prod", "localhost"])
def test_no_other_stage_may_shorten_the_waits(stage: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(stage=stage, settle_seconds=30, grace_seconds=30, wait_scale=0.025)
    assert "rekey:settle_seconds" in str(refused.value)
    assert "rekey:grace_seconds" in str(refused.value)
    assert "rekey:wait_scale: 0.025 would shorten Databricks' waits" in str(refused.value)


def test_the_local_stage_may() -> None:
    local = read(**LOCAL, settle_seconds=30, grace_seconds=1, wait_scale=0.025)
    assert (local.grace_seconds, local.wait_scale) == (1, 0.025)
    settings = read(**LOCAL, databricks_account_host="http://127.0.0.1:1/")
    assert settings.account_host == "http://127.0.0.1:1"


def test_local_python_is_for_the_local_stage_only() -> None:
    for changes in ({"local_python": "/usr/bin/python3"}, {"stage": "local"}):
        with pytest.raises(SettingsError, match="local_python"):
            read(**changes)


@pytest.mark.parametrize(
    ("shard", "account_host", "workspace_host"),
    [
        ("commercial", "https://accounts.cloud.databricks.com", "https://{deployment_name}.cloud.databricks.com"),
        ("govcloud", "https://accounts.cloud.databricks.us", "https://{deployment_name}.cloud.databricks.us"),
        (
            "govcloud-dod",
            "https://accounts-dod.cloud.databricks.mil",
            "https://{deployment_name}.cloud.databricks.mil",
        ),
    ],
)
def test_a_shard_has_its_own_addresses(shard: str, account_host: str, workspace_host: str) -> None:
    settings = read(databricks_shard=shard)
    assert (settings.account_host, settings.workspace_host) == (account_host, workspace_host)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (365, "MANAGED_SERVICES=365,STORAGE=365"),
        ("90", "MANAGED_SERVICES=90,STORAGE=90"),
        ("STORAGE=730, MANAGED_SERVICES=365", "MANAGED_SERVICES=365,STORAGE=730"),
        ({"MANAGED_SERVICES": 180}, "MANAGED_SERVICES=180"),
    ],
)
def test_the_age_of_keys_is_one_number_or_one_for_each_use_case(given: object, told: str) -> None:
    assert read(max_key_age_days=given).max_key_age == told
