"""Workspaces by the account API: what is refused, how they come up or fail, and how they go."""

from typing import Any

import pytest

from tests.simulator.bench import Bench, Json, for_databricks

BROKEN = [{"error_type": "subnet", "error_message": "The subnet subnet-1 does not exist."}]


def parts(bench: Bench, **network: Any) -> Json:
    return {
        "workspace_name": "new",
        "aws_region": "us-east-1",
        "credentials_id": bench.side("POST", "/credentials", {"credentials_name": "c"})["credentials_id"],
        "storage_configuration_id": bench.side("POST", "/storage_configurations", {})["storage_configuration_id"],
        "network_id": bench.side("POST", "/networks", network)["network_id"],
    }


def create(bench: Bench, **wish: Any) -> Json:
    answer = bench.account("POST", "/workspaces", wish)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def both(bench: Bench, key: str) -> Json:
    configuration = bench.register(key, "MANAGED_SERVICES", "STORAGE", reuse_key_for_cluster_volumes=False)
    return {
        "managed_services_customer_managed_key_id": configuration,
        "storage_customer_managed_key_id": configuration,
    }


@pytest.mark.rule("create-accepted")
def test_a_workspace_comes_up_and_encrypts_under_its_keys(bench: Bench) -> None:
    key = bench.key()
    wish = {**parts(bench), **both(bench, key), "custom_tags": {"env": "prod"}, "pricing_tier": "ENTERPRISE"}
    made = create(bench, **wish)
    assert made["workspace_status"] == "PROVISIONING"
    assert {name: made[name] for name in wish} == wish
    assert bench.workspace(made, "GET", "/api/2.1/clusters/list").status_code == 404
    assert bench.account("GET", f"/networks/{wish['network_id']}").json()["vpc_status"] == "UNATTACHED"
    bench.clock.advance(299)
    assert bench.get(made)["workspace_status"] == "PROVISIONING"
    bench.clock.advance(1)
    assert (bench.get(made)["workspace_status"], bench.clusters(made)) == ("RUNNING", [])
    network = bench.account("GET", f"/networks/{wish['network_id']}").json()
    assert (network["vpc_status"], network["workspace_id"]) == ("VALID", made["workspace_id"])
    contents = f"/workspaces/{made['workspace_id']}/contents"
    filled = bench.side("POST", contents, {"notebooks": 1, "files": 1, "secrets": 1, "clusters": 2})
    assert filled["workspace_id"] == made["workspace_id"]
    bench.side("POST", contents, {"notebooks": 1, "files": 1, "clusters": 1})
    objects = bench.sim(made)["objects"]
    assert [entry["name"] for entry in objects if entry["kind"] == "notebook"] == [
        "/Shared/notebook-0",
        "/Shared/notebook-1",
    ]
    assert {entry["key_arn"] for entry in objects} == {key}
    assert len(bench.clusters(made)) == 3
    bench.disable(key)
    assert len(bench.unreadable()) == 5


def test_parts_are_listed_and_read(bench: Bench) -> None:
    wish = parts(bench, network_name="n", vpc_id="vpc-1", subnet_ids=["subnet-1", "subnet-2"])
    (network,) = bench.account("GET", "/networks").json()
    assert (network["vpc_id"], network["network_id"], "workspace_id" in network) == ("vpc-1", wish["network_id"], False)
    (storage,) = bench.account("GET", "/storage-configurations").json()
    assert storage["root_bucket_info"] == {"bucket_name": "storage-root"}
    path = f"/storage-configurations/{wish['storage_configuration_id']}"
    assert bench.account("GET", path).json() == storage
    (credentials,) = bench.account("GET", "/credentials").json()
    assert credentials["credentials_name"] == "c"
    for family in ("networks", "storage-configurations", "credentials"):
        assert bench.account("GET", f"/{family}/nope").status_code == 404
    seeded = bench.seed(network="customer")
    assert bench.account("GET", f"/networks/{seeded['network_id']}").json()["vpc_status"] == "VALID"


def test_the_status_is_a_switch_and_a_deployment_has_one_name(bench: Bench) -> None:
    bench.side("POST", "/switches", {"create_workspace_status": 200, "deployment_name_prefix": "acme"})
    wish = {**parts(bench), "deployment_name": "prod"}
    del wish["network_id"]
    answer = bench.account("POST", "/workspaces", wish)
    assert (answer.status_code, answer.json()["deployment_name"]) == (200, "acme-prod")
    again = bench.account("POST", "/workspaces", wish)
    assert (again.status_code, again.json()["message"][:15]) == (409, "ALREADY_EXISTS:")
    assert (
        bench.account("POST", "/workspaces", {**wish, "deployment_name": "EMPTY"}).json()["deployment_name"] == "acme"
    )
    del wish["deployment_name"]
    assert bench.account("POST", "/workspaces", wish).json()["deployment_name"].startswith("dbc-")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workspace_name": ""}, "MALFORMED_REQUEST: Missing required parameters: workspace_name"),
        ({"credentials_id": None}, "MALFORMED_REQUEST: Missing required parameters: credentials_id"),
        ({"credentials_id": "x"}, "MALFORMED_REQUEST: Invalid credentialsId: x"),
        ({"storage_configuration_id": "x"}, "MALFORMED_REQUEST: Invalid storageConfigurationId: x"),
        ({"network_id": "x"}, "MALFORMED_REQUEST: Invalid networkId: x"),
        ({"storage_customer_managed_key_id": "a/b"}, "MALFORMED_REQUEST: Invalid customerManagedKeyId: a/b"),
        ({"pricing_tier": "GOLD"}, "MALFORMED_REQUEST: Invalid pricing_tier: GOLD"),
        ({"compute_mode": "MAGIC"}, "MALFORMED_REQUEST: Invalid compute_mode: MAGIC"),
        ({"compute_mode": "SERVERLESS"}, "INVALID_PARAMETER_VALUE: A serverless workspace takes no credentials_id."),
        ({"deployment_name": "a_b"}, "INVALID_PARAMETER_VALUE: Invalid deployment_name: a_b"),
        ({"custom_tags": {"k" * 128: "v"}}, "INVALID_PARAMETER_VALUE: Invalid custom tag"),
    ],
)
def test_bad_requests(bench: Bench, change: Json, message: str) -> None:
    refused = bench.account("POST", "/workspaces", {**parts(bench), **change})
    assert refused.status_code == 400
    assert refused.json()["message"].startswith(message)
    assert bench.account("GET", "/workspaces").json() == []


def test_keys_must_fit(bench: Bench) -> None:
    wish, key = parts(bench), bench.key()
    storage = {"storage_customer_managed_key_id": bench.register(key, "STORAGE")}
    wrong = {"managed_services_customer_managed_key_id": storage["storage_customer_managed_key_id"]}

    def refusal(**more: Any) -> str:
        answer = bench.account("POST", "/workspaces", {**wish, **more})
        assert answer.status_code == 400
        return str(answer.json()["message"])

    assert "use_cases must contain MANAGED_SERVICES" in refusal(**wrong)
    assert "ENTERPRISE" in refusal(**storage, pricing_tier="PREMIUM")
    assert "us-west-1" in refusal(**storage, aws_region="us-west-1")
    assert "us-east-1" in refusal(**storage, aws_region="eu-west-1")
    nothing = dict.fromkeys(("credentials_id", "storage_configuration_id", "network_id"))
    assert "serverless" in refusal(**storage, **nothing, compute_mode="SERVERLESS")


@pytest.mark.rule("serverless-workspace")
def test_a_serverless_workspace_takes_a_managed_services_key_alone(bench: Bench) -> None:
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    made = create(
        bench,
        workspace_name="new",
        aws_region="us-east-1",
        compute_mode="SERVERLESS",
        managed_services_customer_managed_key_id=managed,
    )
    bench.clock.advance(300)
    shown = bench.get(made)
    assert (shown["workspace_status"], shown["storage_mode"], "credentials_id" in shown) == (
        "RUNNING",
        "DEFAULT_STORAGE",
        False,
    )
    other = bench.register(bench.key(), "MANAGED_SERVICES")
    assert bench.patch(made, managed=other).status_code == 200


@pytest.mark.rule("network-once")
def test_a_network_serves_one_workspace(bench: Bench) -> None:
    wish = parts(bench)
    made = create(bench, **wish)
    refused = bench.account("POST", "/workspaces", wish)
    assert f"already used by workspace {made['workspace_id']}" in refused.json()["message"]


def test_a_broken_network_fails_the_workspace_and_a_good_one_fixes_it(bench: Bench) -> None:
    wish = {**parts(bench, error_messages=BROKEN), **both(bench, bench.key())}
    made = create(bench, **wish)
    bench.clock.advance(300)
    shown = bench.get(made)
    assert (shown["workspace_status"], shown["workspace_status_message"]) == ("FAILED", BROKEN[0]["error_message"])
    network = bench.account("GET", f"/networks/{wish['network_id']}").json()
    assert (network["vpc_status"], network["error_messages"]) == ("BROKEN", BROKEN)
    assert bench.workspace(made, "GET", "/api/2.1/clusters/list").status_code == 404
    good = bench.side("POST", "/networks", {"warning_messages": [{"warning_type": "subnet", "warning_message": "few"}]})
    assert bench.patch(made, network_id=good["network_id"]).status_code == 200
    assert bench.get(made)["workspace_status"] == "PROVISIONING"
    assert bench.patch(made, custom_tags={"a": "b"}).status_code == 409
    bench.clock.advance(300)
    assert bench.get(made)["workspace_status"] == "RUNNING"
    assert bench.account("GET", f"/networks/{good['network_id']}").json()["vpc_status"] == "WARNED"
    assert bench.account("GET", f"/networks/{wish['network_id']}").json()["vpc_status"] == "UNATTACHED"


def test_a_fault_fails_one_accepted_request(bench: Bench) -> None:
    fault = {"match": {"method": "POST", "path": "*/workspaces"}, "fault": "provisioning_fails", "message": "No IPs."}
    bench.side("POST", "/faults", fault)
    wish = parts(bench)
    assert bench.account("POST", "/workspaces", {**wish, "credentials_id": "x"}).status_code == 400
    made = create(bench, **wish)
    bench.clock.advance(300)
    assert bench.get(made)["workspace_status_message"] == "No IPs."
    assert bench.account("DELETE", f"/workspaces/{made['workspace_id']}").status_code == 200
    made = create(bench, **wish)
    bench.clock.advance(300)
    assert bench.get(made)["workspace_status"] == "RUNNING"
    assert bench.rules_broken() == []


@pytest.mark.parametrize("outcome", ["fail", "refuse", "apply"])
def test_a_key_that_cannot_be_used(bench: Bench, outcome: str) -> None:
    bench.side("POST", "/switches", {"unusable_key_at_creation": outcome})
    key = bench.key(for_databricks("another-account", ["kms:*"]))
    wish = {**parts(bench), **both(bench, key)}
    answer = bench.account("POST", "/workspaces", wish)
    assert answer.status_code == (400 if outcome == "refuse" else 201)
    if outcome == "refuse":
        assert "AccessDeniedException" in answer.json()["message"]
        return
    bench.clock.advance(300)
    shown = bench.get(answer.json())
    assert shown["workspace_status"] == ("FAILED" if outcome == "fail" else "RUNNING")
    if outcome == "fail":
        assert key in shown["workspace_status_message"]
        return
    scope = {"scope": "s"}
    bench.workspace(shown, "POST", "/api/2.0/secrets/scopes/create", scope)
    secret = {**scope, "key": "k", "string_value": "v"}
    assert bench.workspace(shown, "POST", "/api/2.0/secrets/put", secret).status_code == 403


def test_a_failed_workspace_gets_a_storage_key_only_if_it_never_ran(bench: Bench) -> None:
    storage = bench.register(bench.key(), "STORAGE")
    never = bench.seed(status="FAILED", status_message="No IPs.", ever_ran=False)
    assert never["workspace_status_message"] == "No IPs."
    assert bench.patch(never, storage=storage).status_code == 200
    bench.clock.advance(300)
    assert bench.get(never)["workspace_status"] == "RUNNING"
    ran = bench.seed(status="FAILED")
    refused = bench.patch(ran, storage=storage)
    assert (refused.status_code, refused.json()["message"][:14]) == (400, "INVALID_STATE:")


def test_deleting_waits_for_provisioning_and_frees_what_was_used(bench: Bench) -> None:
    wish = {**parts(bench), **both(bench, bench.key())}
    made = create(bench, **wish)
    path = f"/workspaces/{made['workspace_id']}"
    early = bench.account("DELETE", path)
    assert (early.status_code, early.json()["message"][:25]) == (409, "INVALID_STATE_TRANSITION:")
    bench.clock.advance(300)
    assert bench.account("DELETE", path).json()["workspace_id"] == made["workspace_id"]
    assert bench.account("GET", path).status_code == 404
    configuration = wish["managed_services_customer_managed_key_id"]
    assert bench.account("DELETE", f"/customer-managed-keys/{configuration}").status_code == 200
    assert bench.account("GET", f"/networks/{wish['network_id']}").json()["vpc_status"] == "UNATTACHED"
    assert bench.rules_broken() == ["workspace_deleted"]


@pytest.mark.rule("create-twice")
def test_a_request_whose_answer_is_lost_makes_a_workspace_all_the_same(bench: Bench) -> None:
    bench.side("POST", "/faults", {"match": {"method": "POST"}, "fault": "applied_then_lost", "status": 500})
    assert bench.account("POST", "/workspaces", parts(bench)).status_code == 500
    assert [entry["workspace_name"] for entry in bench.account("GET", "/workspaces").json()] == ["new"]
