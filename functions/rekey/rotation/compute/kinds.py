"""All kinds of compute, in the order in which evidence and people are shown them. A new kind is one line here."""

from rekey.rotation.compute.clusters import Clusters
from rekey.rotation.compute.kind import AnyKind
from rekey.rotation.compute.pipelines import Pipelines
from rekey.rotation.compute.pools import Pools
from rekey.rotation.compute.runs import Runs
from rekey.rotation.compute.triggers import Triggers
from rekey.rotation.compute.warehouses import Warehouses

KINDS: tuple[AnyKind, ...] = (Clusters(), Pools(), Warehouses(), Pipelines(), Runs(), Triggers())

STOPPED = tuple(kind for kind in KINDS if not kind.beforehand)
"""What Terminate compute stops."""
PAUSED = tuple(kind for kind in KINDS if kind.beforehand)
"""What is paused before that."""
