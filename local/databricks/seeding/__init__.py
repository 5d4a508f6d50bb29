"""Makes workspaces as a customer would have them: compute in mixed states, things stored, keys set."""

from local.databricks.seeding.compute_wishes import JobSeed
from local.databricks.seeding.wishes import CredentialsSeed, NetworkSeed, Seed, Stock, StorageSeed
from local.databricks.seeding.workspace import fill, seed

__all__ = ["CredentialsSeed", "JobSeed", "NetworkSeed", "Seed", "Stock", "StorageSeed", "fill", "seed"]
