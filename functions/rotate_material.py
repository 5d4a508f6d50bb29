"""Rotate key material: have KMS renew the keys in place. Called again until KMS lists the new rotations."""

from rekey.material import rotate_material
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return rotate_material(step)
