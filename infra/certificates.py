"""The certificates of rekey:ca_bundle, as a layer: the public authorities that requests trusts, and the private ones.

Together, as the variables that name the file replace what would be trusted without them.
"""

import hashlib
from pathlib import Path

from infra.layer import LAYERS, layer_directory
from infra.settings.network import certificates_in

FILE = "certificates/ca-bundle.pem"
IN_LAMBDA = f"/opt/{FILE}"
"""Where Lambda lays a layer's files."""


def environment() -> dict[str, str]:
    return {"REQUESTS_CA_BUNDLE": IN_LAMBDA, "AWS_CA_BUNDLE": IN_LAMBDA}


def certificates_directory(ca_bundle: str) -> Path:
    """A folder with nothing but the whole bundle, made anew for each content. Raises SettingsError without a layer."""
    public = (layer_directory() / "python" / "certifi" / "cacert.pem").read_text(encoding="utf-8")
    whole = f"{public.rstrip()}\n\n{certificates_in(ca_bundle).strip()}\n"
    folder = LAYERS.parent / "certificates" / hashlib.sha256(whole.encode()).hexdigest()[:16]
    target = folder / FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(whole, encoding="utf-8")
    return folder
