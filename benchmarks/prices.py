"""List prices of AWS in us-east-1, in US dollars, without free tiers. Read in November 2026."""

TRANSITION = 0.025 / 1000
"""Step Functions Standard, a state transition; a retry counts as one."""

LAMBDA_REQUEST = 0.20 / 1_000_000
LAMBDA_GB_SECOND_ARM = 0.0000133334


def rotation(transitions: int, invocations: int, lambda_seconds: float, memory_mb: int) -> float:
    """Cost of one rotation's orchestration and Lambdas; storage and API calls are beneath it by orders of magnitude."""
    compute = lambda_seconds * memory_mb / 1024 * LAMBDA_GB_SECOND_ARM
    return transitions * TRANSITION + invocations * LAMBDA_REQUEST + compute


KMS_REQUEST = 0.03 / 10_000
"""Of a symmetric key, a request of any kind but those that are free."""


def fleet(transitions: int, invocations: int, gb_seconds: float, kms_requests: int) -> float:
    """Cost of a fleet's orchestration, Lambdas and requests to KMS."""
    return (
        transitions * TRANSITION
        + invocations * LAMBDA_REQUEST
        + gb_seconds * LAMBDA_GB_SECOND_ARM
        + kms_requests * KMS_REQUEST
    )
