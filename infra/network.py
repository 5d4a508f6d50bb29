"""The network of every Lambda: the customer's VPC, a security group where none is given, the proxy."""

from typing import cast
from urllib.parse import urlsplit

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.settings import Settings

HTTPS = 443

_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
_LOOKS = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
"""These take no resource."""
_NEVER_BY_CODE = (*_INTERFACES, *_LOOKS, "ec2:DetachNetworkInterface")

EVERY_INTERFACE = f"arn:{Aws.PARTITION}:ec2:{Aws.REGION}:{Aws.ACCOUNT_ID}:*/*"
WILDCARD_REASON = (
    "Lambda makes and removes a VPC's interfaces in the role's name, whose ids nobody knows before; the function's own "
    "code is denied all of it."
)


class Network(Construct):
    """What `attach` gives each Lambda; empty without a VPC."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._security_groups = list(settings.security_group_ids)
        if settings.vpc_id and not self._security_groups:
            self._security_groups = [self._build_security_group()]

    @property
    def environment(self) -> dict[str, str]:
        """requests and botocore heed these; Lambda's own interface is an address of the loopback."""
        found: dict[str, str] = {}
        if self._settings.vpc_id:
            # By their regional names, which VPC endpoints answer for: us-east-1 has older, global ones.
            found |= {"AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "regional", "AWS_STS_REGIONAL_ENDPOINTS": "regional"}
        if self._settings.https_proxy:
            direct = [each.replace("{region}", Aws.REGION) for each in self._settings.no_proxy]
            found |= {
                "HTTPS_PROXY": self._settings.https_proxy,
                "NO_PROXY": ",".join(["localhost", "127.0.0.1", "169.254.169.254", *direct]),
            }
        return found

    def statements(self, function_name: str) -> list[iam.PolicyStatement]:
        """What Lambda needs in the role's name; the function's code is denied it (Lambda developer guide, "Giving
        Lambda functions access to resources in an Amazon VPC")."""
        if not self._settings.vpc_id:
            return []
        code = f"arn:{Aws.PARTITION}:lambda:{Aws.REGION}:{Aws.ACCOUNT_ID}:function:{function_name}"
        return [
            iam.PolicyStatement(actions=list(_INTERFACES), resources=[EVERY_INTERFACE]),
            iam.PolicyStatement(actions=list(_LOOKS), resources=["*"]),
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=sorted(_NEVER_BY_CODE),
                resources=["*"],
                conditions={"ArnEquals": {"lambda:SourceFunctionArn": code}},
            ),
        ]

    def attach(self, function: lambda_.Function) -> None:
        """The L1 property: the L2 would look the VPC up at synth, and give the role AWS' managed policy."""
        if self._settings.vpc_id:
            cast("lambda_.CfnFunction", function.node.default_child).vpc_config = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(self._settings.subnet_ids), security_group_ids=self._security_groups
            )

    def _build_security_group(self) -> str:
        ports = sorted({HTTPS, _port(self._settings.https_proxy)})
        group = ec2.CfnSecurityGroup(
            self,
            "SecurityGroup",
            group_description=f"{self._settings.name}: its Lambdas call out and are called by nobody",
            vpc_id=self._settings.vpc_id,
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp", from_port=port, to_port=port, cidr_ip="0.0.0.0/0", description="to its callees"
                )
                for port in ports
            ],
        )
        return str(group.attr_group_id)


def _port(address: str) -> int:
    """The proxy's; HTTPS' own without one."""
    if not address:
        return HTTPS
    parts = urlsplit(address)
    return parts.port or (80 if parts.scheme == "http" else HTTPS)
