"""Fixtures of the plain tests."""

from collections.abc import Iterator

import pytest

import cli.stack
from cli.stack import Stack
from tests.unit.commands_aws import MACHINE, Aws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    fake = Aws()
    monkeypatch.setattr(cli.stack, "find", lambda *_, **__: Stack(MACHINE, "evidence", "ledger", {}, fake))  # type: ignore[arg-type]
    monkeypatch.setattr("cli.progress.following.time.sleep", lambda _: None)
    yield fake
    for stub in fake.stubs.values():
        stub.assert_no_pending_responses()
