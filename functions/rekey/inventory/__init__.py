"""The inventory: every workspace of the account, its keys, how old they are, and why one does not comply.

Each object by itself: a key that cannot be read is a row that says so.
"""
