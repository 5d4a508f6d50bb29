"""Register key configuration: tell Databricks about the key, or find the configuration that says the same."""

from rekey.rotation import registration
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return registration.register(step)
