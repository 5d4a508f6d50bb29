"""The ledger: leases, rotations, their audit trail and the keys, in one DynamoDB table.

Every write is conditional. A change to a rotation, its audit entry and the check that the
lease is still held are one transaction: either all of it is in the ledger or none.
"""

from rekey.ledger.table import Ledger, in_progress
from rekey.ledger.tokens import APPROVAL_TIME, Token

__all__ = ["APPROVAL_TIME", "Ledger", "Token", "in_progress"]
