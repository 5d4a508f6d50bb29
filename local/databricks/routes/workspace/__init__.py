"""Workspace API: one module a family, all reachable as /w/{deployment_name}/api/... and, with a header, /api/..."""

from fastapi import APIRouter

from local.databricks.routes.workspace import (
    clusters,
    dbfs,
    identity,
    jobs,
    notebooks,
    permissions,
    pipelines,
    pools,
    runs,
    secrets,
    warehouses,
)

router = APIRouter()
for family in (
    clusters,
    dbfs,
    identity,
    jobs,
    notebooks,
    permissions,
    pipelines,
    pools,
    runs,
    secrets,
    warehouses,
):
    router.include_router(family.router)
