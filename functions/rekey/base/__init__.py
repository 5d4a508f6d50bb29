"""The ground that everything stands on: the clock, the errors, words, ARNs, settings, logs."""
