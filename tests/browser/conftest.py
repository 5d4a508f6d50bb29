"""The steps' world, for evidence of the real handlers."""

from tests.steps.conftest import world

__all__ = ["world"]
