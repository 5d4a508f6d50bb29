"""Makes workspaces as a customer would have them: compute in mixed states, things stored, keys set."""

from local.databricks.seeding.wishes import JobSeed, Seed, Stock
from local.databricks.seeding.workspace import fill, seed

__all__ = ["JobSeed", "Seed", "Stock", "fill", "seed"]
