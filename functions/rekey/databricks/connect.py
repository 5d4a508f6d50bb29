"""Builds Databricks clients from settings. Clients, and the tokens in them, live as long as the container."""

import json
from functools import lru_cache

from rekey.aws import clients
from rekey.aws.identity import web_identity_token
from rekey.base.errors import SettingsError
from rekey.base.settings import Settings
from rekey.databricks.account import Account
from rekey.databricks.oauth import ClientCredentials, ClientCredentialsTokens, WebIdentityTokens
from rekey.databricks.transport import TokenSource, Transport
from rekey.databricks.workspace import WorkspaceApi

PLACEHOLDER = "not set yet"
"""The client_id of a secret that the stack has made and nobody has filled; a test holds infra/login.py to it."""


@lru_cache(maxsize=1)
def connect_account(settings: Settings) -> Account:
    """Account API with the stack's service principal."""
    token_url = f"{settings.databricks_account_host}/oidc/accounts/{settings.databricks_account_id}/v1/token"
    transport = Transport(settings.databricks_account_host, _tokens(settings, token_url))
    return Account(transport, settings.databricks_account_id)


@lru_cache(maxsize=8)
def connect_workspace(settings: Settings, deployment_name: str) -> WorkspaceApi:
    """One workspace's API with the same service principal, which must be an admin of that workspace."""
    host = settings.workspace_host(deployment_name)
    return WorkspaceApi(Transport(host, _tokens(settings, f"{host}/oidc/v1/token")))


def forget_clients() -> None:
    """Drop the cached clients (tests change the cloud under one process)."""
    connect_account.cache_clear()
    connect_workspace.cache_clear()


def _tokens(settings: Settings, token_url: str) -> TokenSource:
    """By the client secret where there is one, else by the role's web identity."""
    if settings.databricks_secret_arn:
        return ClientCredentialsTokens(token_url, lambda: _credentials(settings.databricks_secret_arn))
    # The audience is Databricks' default for federation policies, and good for this one account.
    role_arn, audience = settings.databricks_role_arn, settings.databricks_account_id
    return WebIdentityTokens(token_url, settings.databricks_client_id, lambda: web_identity_token(role_arn, audience))


def _credentials(secret_arn: str) -> ClientCredentials:
    """Read the secret each time a token is needed (once an hour), so that an exchanged secret is picked up."""
    secret = clients.secrets().get_secret_value(SecretId=secret_arn).get("SecretString", "")
    try:
        fields = json.loads(secret)
    except ValueError:
        # Not looked into any further: the original error could quote the secret.
        fields = None
    client_id, client_secret = (
        fields.get(name) if isinstance(fields, dict) else None for name in ("client_id", "client_secret")
    )
    if client_id == PLACEHOLDER:
        raise SettingsError(
            "The Databricks secret still holds its placeholder. Fix: write the service principal's credential into it, "
            'as {"client_id": ..., "client_secret": ...}.'
        )
    if not (isinstance(client_id, str) and client_id and isinstance(client_secret, str) and client_secret):
        raise SettingsError(
            'The Databricks secret is not {"client_id": ..., "client_secret": ...}. '
            "Fix: write the service principal's credential into it."
        )
    return ClientCredentials(client_id, client_secret)
