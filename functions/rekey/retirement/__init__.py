"""Retirement: the old key goes when it is safe, and comes back when it was not. Nothing is ever deleted.

Each key is one item of the ledger. Its state says who looks after it: the sweep looks at keys that wait to go
(grace, due) and at keys that are disabled and watched; it leaves all others alone.
"""
