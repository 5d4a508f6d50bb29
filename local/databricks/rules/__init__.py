"""What Databricks refuses, what breaks when its rules are broken, and the record of both."""
