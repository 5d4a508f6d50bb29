"""A simulator in this process with a clock that obeys, moto's KMS, and short ways to talk to both."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import requests
from mypy_boto3_kms import KMSClient

from local.databricks import ManualClock
from local.databricks.settings import DATABRICKS_PRINCIPALS, Settings
from local.databricks.world import World

CUSTOMER = "123456789012"
DBFS_ACTIONS = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
VOLUME_ACTIONS = ["kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"]
MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0

Json = dict[str, Any]


@cache
def kms_client(region: str) -> KMSClient:
    """Made once: making a client takes longer than most of these tests."""
    return boto3.client("kms", region, aws_access_key_id="testing", aws_secret_access_key="testing")


def kms_of(_account: str, region: str) -> KMSClient:
    """For the simulator: these tests' keys are all of one account."""
    return kms_client(region)


def admin() -> Json:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{CUSTOMER}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }


def for_databricks(account_id: str, actions: list[str]) -> Json:
    """The statement of Databricks' documentation, with the principal tag."""
    return {
        "Effect": "Allow",
        "Principal": {"AWS": DATABRICKS_PRINCIPALS["commercial"]},
        "Action": actions,
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/DatabricksAccountId": [account_id]}},
    }


def for_volumes(role_arn: str) -> Json:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": role_arn},
        "Action": VOLUME_ACTIONS,
        "Resource": "*",
        "Condition": {"ForAnyValue:StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}},
    }


def policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [admin(), *statements]})


@dataclass
class Bench:
    """`headers` carry a token of the account; answers are checked by the test."""

    url: str
    world: World
    clock: ManualClock
    kms: KMSClient
    settings: Settings
    headers: dict[str, str] = field(default_factory=dict)

    def login(self) -> None:
        """A new token, as the first one expires after an hour like any other."""
        answer = requests.post(
            f"{self.url}/oidc/accounts/{self.settings.account_id}/v1/token",
            data={"grant_type": "client_credentials", "scope": "all-apis"},
            auth=(self.settings.client_id, self.settings.client_secret),
            timeout=10,
        )
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.login()

    def key(self, *statements: Json, actions: list[str] | None = None) -> str:
        """A new key that Databricks may use for everything, or by just these statements; its ARN."""
        if not statements:
            statements = (for_databricks(self.settings.account_id, actions or DBFS_ACTIONS),)
        made = self.kms.create_key(Policy=policy(*statements))
        return made["KeyMetadata"]["Arn"]

    def rewrite(self, key_arn: str, *statements: Json) -> None:
        self.kms.put_key_policy(KeyId=key_arn, PolicyName="default", Policy=policy(*statements))

    def disable(self, key_arn: str) -> None:
        """By id: moto, unlike KMS, does not take an ARN here."""
        self.kms.disable_key(KeyId=key_arn.rpartition("/")[2])

    def account(self, method: str, path: str, body: Json | None = None, **more: Any) -> requests.Response:
        url = f"{self.url}/api/2.0/accounts/{self.settings.account_id}{path}"
        return requests.request(method, url, json=body, headers=self.headers, timeout=30, **more)

    def workspace(self, workspace: Json, method: str, path: str, body: Json | None = None) -> requests.Response:
        url = f"{self.url}/w/{workspace['deployment_name']}{path}"
        return requests.request(method, url, json=body, headers=self.headers, timeout=30)

    def side(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = requests.request(method, f"{self.url}/_sim{path}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def seed(self, **wish: Any) -> Json:
        seeded: Json = self.side("POST", "/workspaces", {"workspace_name": "prod", **wish})
        return seeded

    def register(self, key_arn: str, *use_cases: str, **info: Any) -> str:
        body = {"use_cases": list(use_cases), "aws_key_info": {"key_arn": key_arn, **info}}
        answer = self.account("POST", "/customer-managed-keys", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["customer_managed_key_id"])

    def patch(self, workspace: Json, **ids: Any) -> requests.Response:
        """`managed` and `storage` are configuration ids; anything else is a field."""
        names = {
            "managed": "managed_services_customer_managed_key_id",
            "storage": "storage_customer_managed_key_id",
        }
        body = {names.get(name, name): value for name, value in ids.items()}
        return self.account("PATCH", f"/workspaces/{workspace['workspace_id']}", body)

    def get(self, workspace: Json) -> Json:
        shown: Json = self.account("GET", f"/workspaces/{workspace['workspace_id']}").json()
        return shown

    def unreadable(self) -> list[Json]:
        found: list[Json] = self.side("GET", "/health")["unreadable"]
        return found

    def rules_broken(self) -> list[str]:
        return [violation["rule"] for violation in self.side("GET", "/violations")]

    def sim(self, workspace: Json) -> Json:
        """What only the side door tells of the workspace."""
        for found in self.side("GET", "/state")["workspaces"]:
            if found["workspace_id"] == workspace["workspace_id"]:
                told: Json = found["sim"]
                return told
        raise AssertionError(workspace["workspace_id"])

    def clusters(self, workspace: Json) -> list[Json]:
        shown = self.workspace(workspace, "GET", "/api/2.1/clusters/list?page_size=100").json()
        return list(shown.get("clusters", []))

    def start(self, workspace: Json, cluster_id: str) -> requests.Response:
        return self.workspace(workspace, "POST", "/api/2.1/clusters/start", {"cluster_id": cluster_id})

    def terminate(self, workspace: Json, cluster_id: str) -> requests.Response:
        return self.workspace(workspace, "POST", "/api/2.1/clusters/delete", {"cluster_id": cluster_id})
