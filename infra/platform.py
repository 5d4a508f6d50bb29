"""All that differs between AWS and the local cloud, in one place: constructs never ask which it is."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jsii
from aws_cdk import (
    AssetHashType,
    BundlingOptions,
    CliCredentialsStackSynthesizer,
    DefaultStackSynthesizer,
    DockerImage,
    IgnoreMode,
    ILocalBundling,
    IStackSynthesizer,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_lambda as lambda_

from infra.certificates import certificates_directory
from infra.layer import layer_directory
from infra.permissions import On
from infra.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "functions"
HANDLERS = {path.stem: f"{path.parent.name}.{path.stem}.handler" for path in FUNCTIONS.glob("*/*.py")}
"""Handler of each Lambda by the name of its file: a folder of functions/ is what starts its Lambdas."""
LOCAL_RUNTIME = ROOT / "local" / "runtime"
NOT_CODE = ("__pycache__", "*.pyc", "*.egg-info")


@dataclass(frozen=True)
class Layer:
    code: lambda_.Code
    description: str


Layers = Mapping[str, Layer]
"""By the name of its construct."""


@dataclass(frozen=True)
class Platform:
    """Where the stack runs, as far as the constructs need to know."""

    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    code: lambda_.Code
    layers: Layers
    removal_policy: RemovalPolicy
    tls: bool
    synthesizer: IStackSynthesizer
    encryption_key_arn: str
    """The customer's own key; empty: AWS' keys."""
    environment: Mapping[str, str] = field(default_factory=dict)
    without_arns: frozenset[On] = frozenset()

    def placed_in(self, stack: Stack) -> "Platform":
        """The platform as the stack uses it: what is known only inside of it is filled in."""
        del stack
        return self

    @property
    def keeps_data(self) -> bool:
        """Whether the ledger, the evidence and the secret outlive the stack."""
        return self.removal_policy == RemovalPolicy.RETAIN


def platform_for(settings: Settings) -> Platform:
    """The platform that the stage asks for. Raises SettingsError for AWS while the layer is not built."""
    return _local(settings) if settings.is_local else aws(settings)


def aws(settings: Settings) -> Platform:
    """AWS, with assets in the bootstrap's bucket."""
    return Platform(
        runtime=lambda_.Runtime.PYTHON_3_13,
        architecture=lambda_.Architecture.ARM_64,
        code=lambda_.Code.from_asset(str(FUNCTIONS), exclude=list(NOT_CODE), ignore_mode=IgnoreMode.GIT),
        layers=_layers(settings),
        removal_policy=RemovalPolicy.RETAIN,
        tls=True,
        synthesizer=DefaultStackSynthesizer(qualifier=settings.bootstrap_qualifier or None),
        encryption_key_arn=settings.encryption_key_arn,
    )


def layer_folders(settings: Settings) -> dict[str, tuple[Path, str]]:
    """{construct: (folder, description)}. Their content decides the folders' names, which stand for it: no file time
    gets into the template."""
    folders = {"Dependencies": (layer_directory(), "requirements/lambda.txt")}
    if settings.ca_bundle:
        folders["Certificates"] = (certificates_directory(settings.ca_bundle), "rekey:ca_bundle")
    return folders


def _layers(settings: Settings) -> dict[str, Layer]:
    folders = layer_folders(settings)
    return {
        name: Layer(
            lambda_.Code.from_asset(str(folder), asset_hash_type=AssetHashType.CUSTOM, asset_hash=folder.name),
            description,
        )
        for name, (folder, description) in folders.items()
    }


def _local(settings: Settings) -> Platform:
    """The emulator runs Lambdas as processes here, under AWS's own runtime client (see local/runtime)."""
    return Platform(
        runtime=lambda_.Runtime.PROVIDED_AL2023,
        architecture=lambda_.Architecture.ARM_64,
        code=lambda_.Code.from_asset(
            str(FUNCTIONS),
            asset_hash_type=AssetHashType.OUTPUT,
            bundling=BundlingOptions(image=DockerImage.from_registry("never-used"), local=_FunctionsWithBootstrap()),
        ),
        layers={},
        removal_policy=RemovalPolicy.DESTROY,
        # It speaks plain HTTP on loopback, and would enforce a policy that refuses that.
        tls=False,
        # It checks states:SendTask* against "*", whatever the state machine is.
        without_arns=frozenset({On.WORKFLOW, On.FLEET_WORKFLOW}),
        # The emulator's IAM knows nothing of the roles that a bootstrap stack would bring.
        synthesizer=CliCredentialsStackSynthesizer(),
        encryption_key_arn=settings.encryption_key_arn,
        environment={"PYTHON": settings.local_python, "POWERTOOLS_TRACE_DISABLED": "true"},
    )


@jsii.implements(ILocalBundling)
class _FunctionsWithBootstrap:
    def try_bundle(self, output_dir: str, *, image: DockerImage, **_: object) -> bool:
        """Lay the functions and the bootstrap shim into one folder; True: no Docker is needed."""
        del image
        shutil.copytree(FUNCTIONS, output_dir, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*NOT_CODE))
        shutil.copytree(LOCAL_RUNTIME, output_dir, dirs_exist_ok=True)
        return True
