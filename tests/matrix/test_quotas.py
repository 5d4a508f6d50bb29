"""AWS turns away who asks too often, and a rotation that is turned away is slower, not failed."""

import pytest
from botocore.exceptions import ClientError

from local.databricks.clock import ManualClock
from tests.clients import client
from tests.matrix.boundary import Call
from tests.matrix.cloud import Cloud
from tests.matrix.fleets import playing
from tests.matrix.quotas import A_SECOND, Quotas

CREATE_KEY = Call("kms", "CreateKey", "create_key", 0)


def test_so_many_a_second_and_no_more() -> None:
    quotas = Quotas(clock := ManualClock())
    for _ in range(A_SECOND["kms", "CreateKey"]):
        quotas.before(CREATE_KEY)
    with pytest.raises(ClientError, match=r"ThrottlingException.*CreateKey.*Rate exceeded"):
        quotas.before(CREATE_KEY)
    # Each operation has a quota of its own, and what has none is let through.
    quotas.before(Call("kms", "CreateAlias", "create_key", 1))
    quotas.before(Call("kms", "DescribeKey", "create_key", 2))
    clock.advance(0.2)
    quotas.before(CREATE_KEY)
    with pytest.raises(ClientError):
        quotas.before(CREATE_KEY)
    assert quotas.turned_away == {"CreateKey": 2}


def test_a_rotation_that_kms_turns_away_makes_its_key_later(cloud: Cloud) -> None:
    with playing(cloud) as fleets:
        [workspace_id] = fleets.workspaces(1)
        cloud.boundary.faults.append(quotas := Quotas(cloud.clock))
        keys = len(client("kms").list_keys()["Keys"])
        child = fleets.child("r1", {"workspace_id": workspace_id, "operation": "rotate"})

        def others_ask_first(state: str) -> None:
            if state == "Create key":
                # So many that the bucket is empty for a while.
                for _ in range(A_SECOND["kms", "CreateKey"]):
                    quotas.before(CREATE_KEY)
                quotas._buckets["kms", "CreateKey"]._left = -20.0

        child.entering = others_ask_first
        fleets.run(child)
        assert (child.status, child.states.count("Create key")) == ("SUCCEEDED", 1), child.cause
        assert child.retries == quotas.turned_away["CreateKey"] > 0
        assert len(client("kms").list_keys()["Keys"]) == keys + 1
