"""Rotate key material: have KMS renew the keys in place. Called again until KMS lists the new rotations."""

from functools import partial

from rekey.model.answers import Progress
from rekey.rotation.material import rotate_material
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, patient=Progress)
def handler(step: Step) -> Progress:
    return rotate_material(step)
