"""What no role may ever do is refused to each, what a few may to each other: asked of the synthesized roles."""

import pytest

from infra.permissions import EVERY_GRANT
from tests.infra.enforced import policies_of
from tests.infra.forbidden import NEVER, ONLY
from tests.infra.template import Template
from tests.roles import Request, judged


def may(template: Template, request: Request) -> set[str]:
    """The Lambdas whose role allows it."""
    functions = EVERY_GRANT
    return {each for each in functions if judged(each, request, policies_of(template, each)) == "Allow"}


@pytest.mark.rule("rule-7-deletion")
@pytest.mark.parametrize("what", NEVER)
def test_no_role_may(tickets_template: Template, what: str) -> None:
    assert may(tickets_template, NEVER[what]) == set()


@pytest.mark.parametrize("what", ONLY)
def test_only_these_may(tickets_template: Template, what: str) -> None:
    request, few = ONLY[what]
    assert may(tickets_template, request) == few


def test_every_lambda_is_asked(tickets_template: Template) -> None:
    """The requests above reach roles that hold something: each may write its own log."""
    for name in EVERY_GRANT:
        statements = [each for policy in policies_of(tickets_template, name) for each in policy]
        [log] = [each.resources[0] for each in statements if "logs:PutLogEvents" in each.actions]
        assert judged(name, Request("logs:PutLogEvents", log), [statements]) == "Allow"
