"""List notebooks: find those under the request's paths, cut them into batches. Called again until all is read."""

from rekey.notebooks.walk import list_notebooks
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return list_notebooks(step)
