"""POST /_sim/...: faults, switches, latencies and rate limits."""

from dataclasses import asdict, replace
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter, ValidationError

from local.databricks.faults import Order
from local.databricks.http import reply
from local.databricks.settings import Latencies, Limits, Switches
from local.databricks.sidedoor.common import TheWorld, misfit

router = APIRouter()

Turned = TypeVar("Turned", Latencies, Switches)


@router.post("/faults")
async def order_fault(world: TheWorld, order: Order) -> JSONResponse:
    """Takes an Order of a fault, see faults.py; returns all open ones."""
    world.faults.add(order)
    return reply(world.faults.as_list())


@router.delete("/faults")
async def cancel_faults(world: TheWorld) -> JSONResponse:
    """Cancels every open order."""
    world.faults.clear()
    return reply([])


@router.post("/switches")
async def set_switches(world: TheWorld, wish: dict[str, Any]) -> JSONResponse:
    """Sets switches by name; returns all. See Switches in settings.py."""
    world.switches = _turned(world.switches, wish)
    return reply(asdict(world.switches))


@router.post("/latencies")
async def set_latencies(world: TheWorld, wish: dict[str, Any]) -> JSONResponse:
    """Sets latencies by name, in simulated seconds; returns all. What is under way keeps its times."""
    world.latencies = _turned(world.latencies, wish)
    return reply(asdict(world.latencies))


@router.post("/limits")
async def set_limits(world: TheWorld, limits: Limits) -> JSONResponse:
    """Takes Limits, see settings.py, in place of those that are on, with full buckets; returns them."""
    world.limit(limits)
    return reply(asdict(limits))


@router.delete("/limits")
async def lift_limits(world: TheWorld) -> JSONResponse:
    """No limits from now on."""
    world.limit(Limits())
    return reply({})


def _turned(present: Turned, wish: dict[str, Any]) -> Turned:
    """A copy of `present` with what the wish names; 400 for a name or a value that there is not."""
    try:
        checked = TypeAdapter(type(present)).validate_python({**asdict(present), **wish})
    except ValidationError as error:
        raise misfit(error) from error
    return replace(checked)
