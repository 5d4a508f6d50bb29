"""Fleets: which workspaces, in which waves, how each one went, and whether the next wave may begin.

A fleet starts executions of rotate_key and reads the ledger; it changes no workspace and no key itself.
"""
