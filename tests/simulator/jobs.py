"""Jobs and runs through their API, in short."""

from tests.simulator.bench import Bench, Json

JOBS = "/api/2.2/jobs"


def jobs(bench: Bench, workspace: Json, query: str = "") -> list[Json]:
    listed: list[Json] = bench.workspace(workspace, "GET", f"{JOBS}/list?{query}").json().get("jobs", [])
    return listed


def job_id(bench: Bench, workspace: Json) -> int:
    return int(jobs(bench, workspace)[0]["job_id"])


def runs(bench: Bench, workspace: Json, query: str = "active_only=true") -> list[Json]:
    listed: list[Json] = bench.workspace(workspace, "GET", f"{JOBS}/runs/list?{query}").json().get("runs", [])
    return listed


def states(bench: Bench, workspace: Json) -> list[str]:
    """Of all runs, oldest first."""
    return [run["state"]["life_cycle_state"] for run in reversed(runs(bench, workspace, "limit=25"))]


def update(bench: Bench, workspace: Json, **settings: object) -> tuple[int, str]:
    body = {"job_id": job_id(bench, workspace), "new_settings": settings}
    answer = bench.workspace(workspace, "POST", f"{JOBS}/update", body)
    return answer.status_code, answer.json().get("error_code", "")


def pause(bench: Bench, workspace: Json, status: str = "PAUSED") -> None:
    settings = jobs(bench, workspace)[0]["settings"]
    kind = next(kind for kind in ("schedule", "continuous", "trigger") if kind in settings)
    assert update(bench, workspace, **{kind: {**settings[kind], "pause_status": status}}) == (200, "")


def cancel(bench: Bench, workspace: Json) -> None:
    for run in runs(bench, workspace):
        bench.workspace(workspace, "POST", f"{JOBS}/runs/cancel", {"run_id": run["run_id"]})
