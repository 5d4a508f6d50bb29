"""Sends many requests side by side, each for itself, for as long as a call of a Lambda may work."""

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rekey.aws import clients
from rekey.base.errors import RekeyError
from rekey.base.observability import logger
from rekey.databricks import WorkspaceApi
from rekey.rotation.compute import pace

AT_ONCE = 32
"""Requests under way at the same time: what 0.15 seconds of latency need for 200 a second."""

PART_OF_TIME = 0.45
"""How much of what its Lambda has left a call uses for new requests; the rest is for answers and for the ledger."""

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Crew:
    """Threads that share one workspace's pace. `seconds` is what the Lambda has left."""

    def __init__(self, api: WorkspaceApi, seconds: float) -> None:
        until = pace.CLOCK.now() + seconds * PART_OF_TIME
        self._api = api.through(pace.paced(api.host, until))

    def run(self, asks: Mapping[K, Callable[[WorkspaceApi], T]]) -> dict[K, T | RekeyError]:
        """What came of each, in the order given: no answer about one keeps another from being asked.

        OutOfTime stands for what was not sent.
        """
        if not asks:
            return {}
        with ThreadPoolExecutor(min(AT_ONCE, len(asks))) as threads:
            futures = {key: threads.submit(self._tried, ask) for key, ask in asks.items()}
        return {key: future.result() for key, future in futures.items()}

    def _tried(self, ask: Callable[[WorkspaceApi], T]) -> T | RekeyError:
        try:
            with clients.named_errors():  # A token may need a secret, or AWS' word.
                return ask(self._api)
        except RekeyError as error:
            return error
        except Exception as error:  # noqa: BLE001, an answer that nobody foresaw must not cost the others theirs
            logger.exception("an answer of Databricks was not understood")
            return RekeyError(f"Databricks' answer was not understood ({type(error).__name__}: {error}).")
