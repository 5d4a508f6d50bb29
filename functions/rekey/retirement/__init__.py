"""Retirement: the old key is disabled when it is safe, and enabled again when it was not. Nothing is ever deleted.

Each key is one item of the ledger. Its state says who looks after it: the key check looks at keys that wait to go
(grace, due) and at keys that are disabled and watched; it leaves all others alone.
"""
