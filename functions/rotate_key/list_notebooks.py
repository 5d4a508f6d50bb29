"""List notebooks: find those under the request's paths, cut them into batches. Called again until all is read."""

from functools import partial

from rekey.model.answers import ListProgress
from rekey.rotation.notebooks.walk import list_notebooks
from rekey.rotation.step import Step
from rekey.runtime import step


@partial(step, patient=ListProgress)
def handler(step: Step) -> ListProgress:
    return list_notebooks(step)
