"""The Lambdas' handlers by the name of their file in functions/."""

import importlib
from pathlib import Path
from types import ModuleType

FUNCTIONS = Path(__file__).resolve().parents[1] / "functions"

MODULES = {
    path.stem: f"{path.parent.name}.{path.stem}"
    for path in sorted(FUNCTIONS.glob("*/*.py"))
    if path.parent.name != "rekey"
}
"""Module of each Lambda, as its handler names it: {"create_key": "rotate_key.create_key", ...}."""


def module(name: str) -> ModuleType:
    return importlib.import_module(MODULES[name])
