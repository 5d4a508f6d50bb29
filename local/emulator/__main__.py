"""Starts MiniStack with the missing KMS actions; settings come from its own environment variables."""

from ministack.app import main  # type: ignore[import-untyped]
from ministack.services import kms  # type: ignore[import-untyped]

from local.emulator import key_usage, trail
from local.emulator.key_material import beside

kms.handle_request = beside(kms.handle_request)
key_usage.add_condition_keys()
trail.enable_rules_that_see_reads()

if __name__ == "__main__":
    main()
