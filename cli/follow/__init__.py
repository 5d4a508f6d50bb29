"""Follows Step Functions executions: what state each is in, what it waits for, and for how long.

Imports nothing of the project but cli.wording, so that both the command line and the local demo can use it.
"""

from cli.follow.board import Board, Column, Look, cells, waiting_line
from cli.follow.execution import Execution, StepSeen
from cli.follow.follower import Follower
from cli.follow.steps import GOOD_ROUTE

__all__ = ["GOOD_ROUTE", "Board", "Column", "Execution", "Follower", "Look", "StepSeen", "cells", "waiting_line"]
