"""A cloud on one machine: what `make run`, the demo and the end-to-end tests stand on."""
