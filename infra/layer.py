"""The dependency layer: requirements/lambda.txt for arm64 Python 3.13, built without Docker by uv.

Built once for each lock by `python -m infra.layer` (make does it); synth only looks it up: no network there.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.settings import SettingsError

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "lambda.txt"
LAYERS = ROOT / "build" / "layer"

PYTHON_VERSION = "3.13"
PLATFORM = "aarch64-manylinux2014"


def layer_key() -> str:
    """What decides the layer's content, in 16 hex digits: the lock, the platform and the Python version."""
    return hashlib.sha256(LOCK.read_bytes() + f"{PLATFORM} {PYTHON_VERSION}".encode()).hexdigest()[:16]


def layer_directory() -> Path:
    """The folder with the built layer (`python/` inside). Raises SettingsError when it is not built yet."""
    directory = LAYERS / layer_key()
    if not directory.is_dir():
        raise SettingsError(
            f"the dependency layer for requirements/lambda.txt is not built ({directory}): "
            "run `make synth`, or `python -m infra.layer` in the virtual environment"
        )
    return directory


def build_layer() -> Path:
    """Build the layer unless it is there. Needs the package registry. Returns its folder."""
    directory = LAYERS / layer_key()
    if directory.is_dir():
        return directory
    LAYERS.mkdir(parents=True, exist_ok=True)
    # Beside the final place, then renamed: a build that was cut short is never taken for a layer.
    with tempfile.TemporaryDirectory(dir=LAYERS) as unfinished:
        staged = Path(unfinished) / "layer"
        uv = str(Path(sys.executable).with_name("uv"))
        options = f"--quiet --only-binary :all: --python-platform {PLATFORM} --python-version {PYTHON_VERSION}"
        command = [uv, "pip", "install", *options.split(), "--target", str(staged / "python")]
        subprocess.run([*command, "--require-hashes", "-r", str(LOCK)], check=True)
        shutil.rmtree(staged / "python" / "bin", ignore_errors=True)
        staged.rename(directory)
    return directory


if __name__ == "__main__":
    sys.stdout.write(f"{build_layer()}\n")
