"""Revoke access: take Databricks' statements out of the keys' policies. Called again until a canary reads no more."""

from functools import partial

from rekey.model.answers import Progress
from rekey.rotation import access
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, ends=True, patient=Progress)
def handler(step: Step) -> Progress:
    return access.revoke(step)
