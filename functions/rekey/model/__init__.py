"""What rekey speaks of: requests, plans, rotations, keys. Plain data and plain functions, no I/O."""
