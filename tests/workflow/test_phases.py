"""The settle wait that the preflight tells is Databricks'; its budgets are held to the definition by checks/budgets."""

from rekey.model.phases import SETTLE_SECONDS


def test_the_settle_wait_is_databricks_twenty_minutes() -> None:
    assert SETTLE_SECONDS == 20 * 60
