"""A new workspace that has its keys from its first day: the wish, what forbids it, the making, and the way back.

Source of the order: Databricks, "Create a workspace": "If the workspace was ever in the running state … you cannot add
a new key configuration ID for workspace storage", so the keys come with the POST.
"""
