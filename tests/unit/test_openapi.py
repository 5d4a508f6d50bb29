"""docs/tickets.openapi.json is what the code's classes say."""

from pathlib import Path

from rekey.telling.tickets import errors
from tests.openapi import REFUSALS, description, text_of

FILE = Path(__file__).resolve().parents[2] / "docs" / "tickets.openapi.json"


def test_the_description_in_docs_is_current() -> None:
    """Fix: make schemas"""
    assert FILE.read_text(encoding="utf-8") == text_of(description())


def test_every_refusal_is_in_it() -> None:
    assert set(errors.Refused.__subclasses__()) == set(REFUSALS)
