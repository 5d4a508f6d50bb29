"""Signatures: the two schemes' own examples, rotation of secrets, and all that must not pass."""

import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, webhooks

from rekey.telling.tickets.errors import NotAuthentic
from rekey.telling.tickets.settings import Credentials
from rekey.telling.tickets.signatures import verify_age, verify_hub, verify_standard

# Atlassian, "Webhooks", "Secure admin webhooks": the page's own example.
JIRA_SECRET, JIRA_BODY = "It's a Secret to Everybody", b"Hello World!"
JIRA_SIGNATURE = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"

# standard-webhooks/standard-webhooks: the vector that every library of the project is tested with.
SECRET, ID, AT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
BODY, SIGNATURE = b'{"test": 2432232314}', "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_c29tZXRoaW5nIGVsc2UgYWx0b2dldGhlcg=="


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment at which the Standard Webhooks vector was signed."""

    class Then(datetime):
        @classmethod
        def now(cls, **_: object) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(AT, UTC)

    monkeypatch.setattr(webhooks, "datetime", Then)


def headers(**changes: str) -> dict[str, str]:
    good = {"webhook-id": ID, "webhook-timestamp": str(AT), "webhook-signature": SIGNATURE}
    return {**good, **{name.replace("_", "-"): value for name, value in changes.items()}}


def test_jiras_own_example() -> None:
    verify_hub([JIRA_SECRET], {"x-hub-signature": JIRA_SIGNATURE}, JIRA_BODY)


@pytest.mark.parametrize("secrets", [[JIRA_SECRET, "the next secret"], ["the next secret", JIRA_SECRET]])
def test_while_secrets_are_rotated_both_count(secrets: list[str]) -> None:
    verify_hub(secrets, {"x-hub-signature": JIRA_SIGNATURE}, JIRA_BODY)


@pytest.mark.parametrize(
    ("secrets", "signature", "body"),
    [
        ([], JIRA_SIGNATURE, JIRA_BODY),
        (["another secret"], JIRA_SIGNATURE, JIRA_BODY),
        ([JIRA_SECRET], JIRA_SIGNATURE, b"Hello World?"),
        ([JIRA_SECRET], JIRA_SIGNATURE.removeprefix("sha256="), JIRA_BODY),
        ([JIRA_SECRET], "sha256=", JIRA_BODY),
        ([JIRA_SECRET], "", JIRA_BODY),
        ([JIRA_SECRET], "sha256=ä\udc80", JIRA_BODY),
        ([JIRA_SECRET], JIRA_SIGNATURE + "00", JIRA_BODY),
    ],
)
def test_anything_else_is_not_jira(secrets: list[str], signature: str, body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        verify_hub(secrets, {"x-hub-signature": signature}, body)


@pytest.mark.parametrize("minutes", [-6, 121])
def test_a_jira_delivery_ages(minutes: int) -> None:
    now = time.time_ns() // 1_000_000
    verify_age(now - 60_000 * 119)
    with pytest.raises(NotAuthentic):
        verify_age(now - 60_000 * minutes)


@pytest.mark.parametrize("written", [None, "1614265330", True, 1.5, 10**400], ids=lambda written: str(written)[:12])
def test_a_jira_delivery_without_a_time_is_none(written: object) -> None:
    with pytest.raises(NotAuthentic):
        verify_age(written)


def test_standard_webhooks_own_vector(then: None) -> None:
    assert verify_standard([SECRET], headers(), BODY) == ID
    assert verify_standard([OTHER, SECRET], headers(), BODY) == ID


def test_one_good_signature_among_several_is_enough(then: None) -> None:
    several = f"v1,{'A' * 43}= v2,{'B' * 43}= {SIGNATURE} v1a,AAAA"
    assert verify_standard([SECRET], headers(webhook_signature=several), BODY) == ID


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_id": "msg_other"},
        {"webhook_id": ""},
        {"webhook_timestamp": str(AT + 1)},
        {"webhook_timestamp": str(AT - 301)},
        {"webhook_timestamp": str(AT + 301)},
        {"webhook_timestamp": "nan"},
        {"webhook_timestamp": "9" * 5000},
        {"webhook_signature": SIGNATURE.replace("v1,", "v2,")},
        {"webhook_signature": "v1"},
        {"webhook_signature": "v1,v1,v1"},
        {"webhook_signature": "v1,ä"},
        {"webhook_signature": ""},
    ],
)
def test_anything_else_is_not_standard(then: None, changes: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic):
        verify_standard([SECRET], headers(**changes), BODY)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_five_minutes_are_the_tolerance(then: None, seconds: int) -> None:
    at = datetime.fromtimestamp(AT + seconds, UTC)
    signed = Webhook(SECRET).sign(ID, at, BODY.decode())
    with pytest.raises(NotAuthentic, match=r"too (old|new)"):
        verify_standard([SECRET], headers(webhook_timestamp=str(AT + seconds), webhook_signature=signed), BODY)


def test_a_body_that_is_no_text_is_not_standard(then: None) -> None:
    with pytest.raises(NotAuthentic):
        verify_standard([SECRET], headers(), b"\xff\xfe")


def test_a_secret_that_could_be_guessed_is_none() -> None:
    """An HMAC with an empty key is anybody's to make."""
    found = Credentials(webhook_secrets=("", "short", "whsec_AAAA", "x" * 16)).usable_secrets
    assert found == ("x" * 16,)
    assert "x" * 16 not in repr(Credentials(webhook_secrets=("x" * 16,), api_token="x" * 16))
