"""Material is renewed in place on the deployed stack, and only of keys with rekey's tag or their owner's."""

from tests.e2e.common import NETWORKS, whole
from tests.e2e.driver import Driver


def test_a_storage_key_is_renewed_in_place(driver: Driver) -> None:
    started = {
        workspace_id: driver.start(workspace_id=workspace_id, operation="add")
        for workspace_id in [driver.workspace(network=network) for network in NETWORKS]
    }
    for workspace_id, name in started.items():
        added = driver.wait(name)
        assert added.status == "SUCCEEDED", added
        before, fields = driver.compute(workspace_id), driver.fields(workspace_id)
        ended = driver.rotate(
            workspace_id=workspace_id, operation="rotate_material", use_cases=["STORAGE"], yearly_rotation=True
        )
        assert ended.status == "SUCCEEDED", ended
        assert "Terminate compute" not in ended.states
        key_id = added.output["key_arn"].rsplit("/", 1)[1]
        (rotation,) = driver.aws("kms").list_key_rotations(KeyId=key_id)["Rotations"]
        assert rotation["RotationType"] == "ON_DEMAND"
        assert driver.aws("kms").get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"] is True
        assert driver.fields(workspace_id) == fields
        whole(driver, workspace_id, before)
