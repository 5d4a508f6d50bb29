"""Names that tests share."""

ACCOUNT_ID = "0b6a1f6e-2f3c-4a55-9c9d-0f6f5a1b2c3d"
TABLE, BUCKET = "rekey-ledger", "rekey-evidence"
