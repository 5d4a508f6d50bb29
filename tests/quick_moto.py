"""moto without what costs it most where AWS is called often: looking up a member of an answer, and making RSA keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from botocore import xform_name
from moto import mock_aws
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.kms import models as kms
from moto.kms.utils import generate_private_key

ONE_SESSION: Any = {"core": {"mock_credentials": True, "passthrough": {}, "reset_boto3_session": False}}
"""boto3 reads its models once, and not in every test anew."""

_pick = AttributePicker.__call__
_private_key = cache(generate_private_key)
"""moto makes an RSA key for each symmetric key too, which has no use for it."""


@contextmanager
def quick_moto() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, mock_aws(config=ONE_SESSION):
        patch.setattr(AttributePicker, "__call__", _pick_quickly)
        patch.setattr(kms, "generate_private_key", _private_key)
        yield


def _pick_quickly(self: AttributePicker, context: AttributePickerContext) -> Any:
    """A plain dict has a member under its own name, or in snake case, or not at all.

    moto asks for each of a DynamoDB value's ten types by all the names that an object's attribute might have.
    """
    if type(context.obj) is not dict or self.response_transformers:
        return _pick(self, context)
    found = context.obj.get(context.key)
    return context.obj.get(xform_name(context.key)) if found is None else found
