"""The finisher: carries on each rotation whose execution has ended before it, until nothing is undone."""
