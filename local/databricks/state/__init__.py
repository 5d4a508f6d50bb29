"""What Databricks remembers: plain records and their lifecycles, no rule and no HTTP."""
