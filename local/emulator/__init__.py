"""The AWS emulator: MiniStack, and what rekey needs of KMS that MiniStack has not. Run: python -m local.emulator."""
