"""Rotate key material: have KMS renew the keys in place. Called again until KMS lists the new rotations."""

from rekey.rotation.material import rotate_material
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return rotate_material(step)
