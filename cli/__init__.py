"""`rekey`: the operator's command line."""
