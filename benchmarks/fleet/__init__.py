"""`make bench-fleet`: a fleet of a thousand workspaces on virtual time, beside what the limits allow."""
