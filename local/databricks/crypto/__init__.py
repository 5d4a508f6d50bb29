"""Real encryption under the customer's KMS keys, as Databricks' own AWS account may use them."""
