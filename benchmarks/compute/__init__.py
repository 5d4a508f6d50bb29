"""Downtime of large workspaces beside its bound: rekey, and what one would write oneself on the official SDK."""
