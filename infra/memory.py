"""How much memory each Lambda has, in MB."""

MEMORY_MB = {
    # A 10 MB notebook takes up to 240 MB (python -m benchmarks.notebook), and is compared in time.
    "renew_notebooks": 1024,
    # 32 threads send up to 200 requests a second, each over TLS: with 256 MB they would share a seventh of a processor.
    **dict.fromkeys(("pause_triggers", "terminate_compute", "restart_compute"), 1024),
    # The finisher calls what these do.
    "carry_on": 1024,
    # They look at all compute, and bring back what they can, side by side too.
    **dict.fromkeys(("plan_rotation", "complete_rotation", "record_failure", "doctor"), 512),
    # They read eight keys side by side, and the first draws hundreds of workspaces.
    **dict.fromkeys(("inventory", "find_drift"), 512),
    # It looks ahead at two workspaces side by side; the report reads and draws hundreds.
    **dict.fromkeys(("plan_fleet", "report_fleet"), 512),
}
"""Where the setting may be too little. A Lambda's share of a processor grows with its memory: 1,769 MB are one."""


def memory_mb(name: str, setting: int) -> int:
    """Of one Lambda; `setting` is rekey:lambda_memory_mb."""
    return max(setting, MEMORY_MB.get(name, 0))
