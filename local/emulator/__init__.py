"""The AWS emulator: MiniStack, and what rekey needs that it has not of KMS and STS. Run: python -m local.emulator."""
