"""What workspaces are made from: credentials, root buckets, networks."""

import uuid

from local.databricks.seeding.wishes import NetworkSeed
from local.databricks.state import ids
from local.databricks.state.account import Credentials, Network, StorageConfiguration
from local.databricks.world import World


def add_credentials(
    world: World, name: str, role_arn: str | None = None, credentials_id: str | None = None
) -> Credentials:
    """A cross-account role; left out, one in the customer's account."""
    credentials_id = credentials_id or str(uuid.uuid4())
    account = world.settings.customer_account
    role_arn = role_arn or f"arn:aws:iam::{account}:role/{name.removesuffix('-credentials')}-cross-account"
    made = Credentials(credentials_id, name, role_arn, world.now())
    world.credentials[credentials_id] = made
    return made


def add_storage(
    world: World, name: str, bucket: str | None = None, storage_id: str | None = None
) -> StorageConfiguration:
    """A root bucket."""
    made = StorageConfiguration(storage_id or str(uuid.uuid4()), name, bucket or f"{name}-root", world.now())
    world.storage_configurations[made.storage_configuration_id] = made
    return made


def add_network(world: World, wish: NetworkSeed, network_id: str | None = None) -> Network:
    """What is left out of the wish is made up."""
    made = Network(
        network_id=network_id or str(uuid.uuid4()),
        name=wish.network_name,
        vpc_id=wish.vpc_id or f"vpc-{ids.hexadecimal(17)}",
        subnet_ids=wish.subnet_ids or [f"subnet-{ids.hexadecimal(17)}" for _ in range(2)],
        security_group_ids=wish.security_group_ids or [f"sg-{ids.hexadecimal(17)}"],
        created_at=world.now(),
        errors=wish.error_messages,
        warnings=wish.warning_messages,
    )
    world.networks[made.network_id] = made
    return made
