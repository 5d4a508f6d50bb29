"""Classic compute of a workspace: written down, stopped, and brought back exactly as it was.

Serverless compute does not run in the customer's network and is left alone.
"""
