"""The settings of the network that the Lambdas run in."""

import re
import ssl
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator, model_validator

from infra.settings.common import CommaSeparated, Common
from infra.settings.explain import PREFIX

Ids = Annotated[tuple[str, ...], CommaSeparated]


class Network(Common):
    """The network."""

    vpc_id: str = Field(
        title="The VPC that every Lambda runs in",
        pattern=r"^(vpc-[0-9a-f]{8,17})?$",
        description="a VPC's id, or empty for AWS' own network",
    )
    subnet_ids: Ids = Field(
        title="Its subnets, with a way to Databricks: [docs/network.md](network.md)",
        max_length=16,
        description="up to 16 ids such as subnet-0a1b2c3d, with commas or as a JSON list; two or more zones are wise",
    )
    security_group_ids: Ids = Field(
        title="The Lambdas' security groups",
        max_length=5,
        description="up to 5 ids such as sg-0a1b2c3d, or none to have one made that lets HTTPS (and the proxy) out",
    )
    https_proxy: str = Field(
        title="The proxy on the way out",
        pattern=r"^(https?://[A-Za-z0-9.-]+(:\d{1,5})?)?$",
        description="an address such as http://proxy.example.com:3128 without user and password, or empty for none",
    )
    no_proxy: Ids = Field(
        title="What is reached without the proxy; {region} is the stack's. The default is right where AWS' endpoints "
        "of that region are VPC endpoints, and those of others are reached through the proxy",
        description="hosts and .domains with commas or as a JSON list",
    )
    ca_bundle: str = Field(
        title="Certificates of private authorities, to be trusted beside the public ones. They go into a layer",
        description="the path of a PEM file on the machine that deploys, or empty for none",
    )

    @field_validator("subnet_ids", "security_group_ids")
    @classmethod
    def _are_ids(cls, ids: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        kind = "subnet" if info.field_name == "subnet_ids" else "sg"
        for each in ids:
            if not re.fullmatch(rf"{kind}-[0-9a-f]{{8,17}}", each):
                raise ValueError(f"{each!r} is not the id of a {kind}")
        return ids

    @field_validator("no_proxy")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for each in hosts:
            if not re.fullmatch(r"[A-Za-z0-9{}.:-]+", each):
                raise ValueError(f"{each!r} is neither a host nor a .domain")
        return hosts

    @field_validator("ca_bundle")
    @classmethod
    def _holds_certificates(cls, path: str) -> str:
        if path:
            certificates_in(path)
        return path

    @model_validator(mode="after")
    def _whole(self) -> "Network":
        if bool(self.vpc_id) != bool(self.subnet_ids):
            raise ValueError(f"{PREFIX}vpc_id and {PREFIX}subnet_ids: give both, or neither")
        if self.security_group_ids and not self.vpc_id:
            raise ValueError(f"{PREFIX}security_group_ids: they are for Lambdas in a VPC; give {PREFIX}vpc_id too")
        if self.is_local and (self.vpc_id or self.https_proxy or self.ca_bundle):
            raise ValueError(f"{PREFIX}vpc_id, https_proxy and ca_bundle are for AWS: leave them empty in stage local")
        return self


def certificates_in(path: str) -> str:
    """The PEM text of a file. Raises ValueError where there is none."""
    try:
        text = Path(path).expanduser().read_text(encoding="ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, UnicodeDecodeError, ssl.SSLError) as error:
        raise ValueError(f"{path!r} cannot be read as certificates ({error})") from None
    return text
