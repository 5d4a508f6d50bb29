"""Starts MiniStack with the missing KMS actions; settings come from its own environment variables."""

from ministack.app import main  # type: ignore[import-untyped]
from ministack.services import kms  # type: ignore[import-untyped]

from local.emulator.key_material import beside

kms.handle_request = beside(kms.handle_request)

if __name__ == "__main__":
    main()
