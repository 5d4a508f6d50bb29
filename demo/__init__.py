"""`make run`: two of three workspaces get their keys on this machine, with the real stack, and all of it is checked.

Uses the command line's follower (cli.follow, which imports nothing of local), so that the demo shows an execution
exactly as an operator will see it.
"""
