"""Drift: what is, compared with what the ledger proved last. Each change is told once, and closed when it is mended.

What cannot be read is no drift, and a workspace or a key that a rotation is at work on is not looked at.
"""
