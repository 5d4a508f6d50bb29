"""A thin Databricks client on requests: one class for the account, one for a workspace.

The official SDK is not used at run time: it takes seconds to import, repeats POSTs that may
have been applied, sleeps inside a call, and fails on PATCH's empty body. It is the oracle of
the tests instead (tests/simulator).
"""

from rekey.databricks.account import Account, KeyConfiguration, Network, Workspace
from rekey.databricks.estate import Estate
from rekey.databricks.workspace import WorkspaceApi

__all__ = ["Account", "Estate", "KeyConfiguration", "Network", "Workspace", "WorkspaceApi"]
