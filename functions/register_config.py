"""Register key configuration: tell Databricks about the key, or find the configuration that says the same."""

from rekey import registration
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return registration.register(step)
