"""Existing notebooks: Databricks does not re-encrypt them when a key changes, so they are exported and re-imported.

Their content is never kept: it is in the memory of one call only. The evidence bucket has paths, outcomes, and, while
a notebook is being renewed, a digest of its content and its own permissions.
"""
