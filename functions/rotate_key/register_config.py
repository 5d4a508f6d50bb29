"""Register key configuration: tell Databricks about the key, or find the configuration that says the same."""

from rekey.model.answers import Registered
from rekey.rotation import registration
from rekey.rotation.step import Step
from rekey.runtime import step


@step
def handler(step: Step) -> Registered:
    return registration.register(step)
