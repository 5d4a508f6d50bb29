"""`python -m cli`: the command line where it is not installed."""

from cli.main import app

app(prog_name="rekey")
