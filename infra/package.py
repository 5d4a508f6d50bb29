"""The stack without CDK on the customer's side: a plain CloudFormation template, its zips, and `rekey` as a wheel.

python -m infra.package build/package [-c rekey:name=value ...]      (`make package`)
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from aws_cdk import App, BootstraplessSynthesizer, CfnParameter, Fn, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from infra import key_account_template
from infra.platform import FUNCTIONS, ROOT, Layer, Platform, aws, layer_folders
from infra.settings import PREFIX as OF_SETTINGS
from infra.settings import Settings, SettingsError
from infra.stack import RekeyStack

BUCKET, PREFIX = "AssetBucket", "AssetPrefix"
"""The template's parameters: where the zips are."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of every file in a zip: one content gives one zip, byte by byte."""


@dataclass(frozen=True)
class Packaged(Platform):
    """AWS, with the zips wherever the template's parameters say."""

    names: tuple[tuple[str, str], ...] = ()
    """(construct of the layer, or "" for the functions, file name)."""

    def placed_in(self, stack: Stack) -> Platform:
        bucket = CfnParameter(
            stack,
            BUCKET,
            description="The bucket, in the stack's region, that the zips were uploaded to",
            allowed_pattern="[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        )
        prefix = CfnParameter(
            stack,
            PREFIX,
            default="",
            description="What their keys begin with: empty, or ending with a slash",
            allowed_pattern="(.*/)?",
        )
        place = s3.Bucket.from_bucket_name(stack, "Assets", bucket.value_as_string)
        names = dict(self.names)

        def code(name: str) -> lambda_.Code:
            return lambda_.Code.from_bucket(place, Fn.join("", [prefix.value_as_string, names[name]]))

        layers = {name: Layer(code(name), layer.description) for name, layer in self.layers.items()}
        return replace(self, code=code(""), layers=layers)


def package(settings: Settings, target: Path) -> list[Path]:
    """Write the template, the zips and the wheel into a folder. Gives the files. Raises SettingsError."""
    if settings.is_local:
        raise SettingsError("rekey:stage is local, which is for one machine; give another stage")
    target.mkdir(parents=True, exist_ok=True)
    folders = {"": FUNCTIONS, **{name: folder for name, (folder, _) in layer_folders(settings).items()}}
    zips = {name: zipped(folder, target, name or "Functions") for name, folder in folders.items()}
    whole = target / "rekey.template.json"
    whole.write_text(json.dumps(template(settings, {name: path.name for name, path in zips.items()}), indent=1))
    of_accounts = target / "templates" / "key-account.yaml"
    of_accounts.parent.mkdir(exist_ok=True)
    of_accounts.write_text(key_account_template.text(), encoding="utf-8")
    return [whole, of_accounts, *zips.values(), _wheel(target)]


def zipped(folder: Path, target: Path, name: str) -> Path:
    """The folder as <name>-<content>.zip, so that CloudFormation sees a new content by its name."""
    digest = hashlib.sha256()
    staged = target / f"{name.lower()}.zip"
    with zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(folder):
            place, content = path.relative_to(folder).as_posix(), path.read_bytes()
            digest.update(place.encode() + b"\0" + content + b"\0")
            entry = zipfile.ZipInfo(place, _EPOCH)
            entry.external_attr = 0o755 << 16 if path.stat().st_mode & 0o100 else 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return staged.rename(target / f"{name.lower()}-{digest.hexdigest()[:16]}.zip")


def _files(folder: Path) -> Iterable[Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sorted(path for path in found if not {"__pycache__", "rekey.egg-info"} & set(path.parts))


def template(settings: Settings, names: dict[str, str]) -> object:
    """The template with the zips of these names, by construct ("" for the functions)."""
    base = aws(settings)
    same = {each.name: getattr(base, each.name) for each in fields(base)}
    platform = Packaged(**{**same, "synthesizer": BootstraplessSynthesizer(), "names": tuple(names.items())})
    with tempfile.TemporaryDirectory() as assembly:
        app = App(outdir=assembly, context=_flags())
        RekeyStack(app, settings, platform)
        app.synth()
        return json.loads((Path(assembly) / f"{settings.name}.template.json").read_text(encoding="utf-8"))


def _flags() -> dict[str, object]:
    """CDK's own context in cdk.json: without its command line nobody else reads it."""
    return {name: value for name, value in _context().items() if not name.startswith(OF_SETTINGS)}


def _context() -> dict[str, object]:
    context: dict[str, object] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context


def _wheel(target: Path) -> Path:
    """From a copy: an earlier build in this folder would lend it files."""
    ours = shutil.ignore_patterns(
        ".git", ".venv", "node_modules", "build", "cdk.out", "*.egg-info", "__pycache__", ".*"
    )
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "rekey"
        shutil.copytree(ROOT, copy, ignore=ours)
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
        subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", target, copy], check=True)
    return max(target.glob("rekey-*.whl"), key=lambda path: path.stat().st_mtime)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="make package")
    parser.add_argument("target", type=Path)
    parser.add_argument("-c", action="append", default=[], metavar="rekey:NAME=VALUE", dest="context")
    given = parser.parse_args(arguments)
    try:
        settings = Settings.from_context(_context() | dict(each.partition("=")[::2] for each in given.context))
        files = package(settings, given.target)
    except SettingsError as error:
        sys.exit(f"rekey: {error}")
    sys.stdout.writelines(f"{path}\n" for path in files)


if __name__ == "__main__":
    main(sys.argv[1:])
