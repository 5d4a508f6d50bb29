"""The Lambdas' seams: each answers a frozen model, which the frame alone makes JSON of."""

import inspect
from typing import get_args, get_type_hints

import pytest

from rekey.model.answers import Answer
from tests import handlers


@pytest.mark.parametrize("name", handlers.MODULES)
def test_every_lambda_answers_a_frozen_model(name: str) -> None:
    inner = inspect.unwrap(handlers.module(name).handler)
    answered = get_type_hints(inner)["return"]
    for each in get_args(answered) or (answered,):
        assert issubclass(each, Answer), each
        assert each.model_config["frozen"]
