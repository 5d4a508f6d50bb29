"""One rotation as an operator sees it: where it is, what it waits for, how long it may still take, how it ended."""

from cli.progress.ending import Ending, ending_of
from cli.progress.following import follow, letting_go, watch
from cli.progress.screen import Screen
from cli.progress.time_left import TimeLeft, time_left
from cli.progress.view import View

__all__ = ["Ending", "Screen", "TimeLeft", "View", "ending_of", "follow", "letting_go", "time_left", "watch"]
