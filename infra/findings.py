"""What checkov and cdk-nag's NIST 800-53 pack find and is left as it is: every finding with its reason, in one table.

The reasons go into the template: cdk-nag is told them at synth, and checkov reads them in each resource's Metadata, so
that whoever runs it on what `make package` writes sees them too. docs/security.md has the table (`make findings`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import CfnResource, Stack

from infra.nag import acknowledge
from infra.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "security.md"
BEGIN, END = "<!-- findings: begin -->", "<!-- findings: end -->"

FUNCTION, LOGS, ROLE, POLICY = "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::IAM::Role", "AWS::IAM::Policy"
TABLE, BUCKET, SECRET, QUEUE = (
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
)

NIST = "NIST.800.53.R5-"


@dataclass(frozen=True)
class Finding:
    """One rule of either, on resources of some types, and why nothing is done about it."""

    kinds: tuple[str, ...]
    reason: str
    checkov: str = ""
    nist: str = ""
    unless: str = ""
    """The setting with which it is not found."""
    only: str = ""
    """What the construct's path ends with, where it is found on one of the type alone."""


ENCRYPTION, VPC = "encryption_key_arn", "vpc_id"

LEFT = (
    Finding(
        (FUNCTION,),
        "Reserved concurrency is taken from the account's; leases and the webhook's throttle bound the calls.",
        checkov="CKV_AWS_115",
        nist="LambdaConcurrency",
    ),
    Finding(
        (FUNCTION,),
        "Step Functions waits for the answer; what is called asynchronously has an on-failure destination, alarmed.",
        checkov="CKV_AWS_116",
        nist="LambdaDLQ",
    ),
    Finding(
        (FUNCTION,),
        "rekey:vpc_id puts every Lambda into the customer's VPC; without it they reach public endpoints alone.",
        checkov="CKV_AWS_117",
        nist="LambdaInsideVPC",
        unless=VPC,
    ),
    Finding(
        (FUNCTION,),
        "The environment holds names and hosts, no secret; Lambda encrypts it under AWS' key.",
        checkov="CKV_AWS_173",
    ),
    Finding(
        (LOGS,),
        "CloudWatch encrypts under AWS' key; rekey:encryption_key_arn puts the customer's in its place.",
        checkov="CKV_AWS_158",
        nist="CloudWatchLogGroupEncrypted",
        unless=ENCRYPTION,
    ),
    Finding(
        (TABLE,),
        "Encrypted under AWS' key for DynamoDB; rekey:encryption_key_arn puts the customer's in its place.",
        checkov="CKV_AWS_119",
        unless=ENCRYPTION,
    ),
    Finding(
        (TABLE,),
        "Point-in-time recovery and deletion protection are on; a backup plan is its owner's, by rekey:stack_tags.",
        nist="DynamoDBInBackupPlan",
    ),
    Finding(
        (SECRET,),
        "Encrypted under AWS' key for Secrets Manager; rekey:encryption_key_arn puts the customer's in its place.",
        checkov="CKV_AWS_149",
        nist="SecretsManagerUsingKMSKey",
        unless=ENCRYPTION,
    ),
    Finding(
        (SECRET,),
        "Databricks and the ticket systems issue these; their owner renews them in both places.",
        nist="SecretsManagerRotationEnabled",
    ),
    Finding(
        (QUEUE,),
        "Encrypted by SQS itself (SSE-SQS); rekey:encryption_key_arn puts the customer's key in its place.",
        checkov="CKV_AWS_27",
        unless=ENCRYPTION,
    ),
    Finding(
        (BUCKET,),
        "Encrypted under S3's keys; rekey:encryption_key_arn puts the customer's in its place.",
        nist="S3DefaultEncryptionKMS",
        unless=ENCRYPTION,
        only="/Evidence/Resource",
    ),
    Finding(
        (BUCKET,),
        "S3 delivers access logs to no bucket under another key than its own.",
        nist="S3DefaultEncryptionKMS",
        only="/EvidenceAccess/Resource",
    ),
    Finding(
        (BUCKET,),
        "It holds the evidence bucket's access logs; logging its own would never end.",
        checkov="CKV_AWS_18",
        only="/EvidenceAccess/Resource",
    ),
    Finding(
        (BUCKET,),
        "Versioned, and locked by rekey:evidence_lock_days; a replica is where its owner chooses to have one.",
        nist="S3BucketReplicationEnabled",
    ),
    Finding(
        (ROLE, POLICY),
        "A role is for one Lambda or service and its policy for that role: inline, it goes with it and fits no other.",
        nist="IAMNoInlinePolicy",
    ),
)


def explain_what_is_left(stack: Stack, settings: Settings) -> None:
    """Puts each reason where its tool looks for it. After everything is built."""
    for node in stack.node.find_all():
        if not isinstance(node, CfnResource):
            continue
        found = [each for each in LEFT if _applies(each, node, settings)]
        for each in found:
            if each.nist:
                acknowledge(node, finding=NIST + each.nist, reason=each.reason)
        if skips := [{"id": each.checkov, "comment": each.reason} for each in found if each.checkov]:
            node.add_metadata("checkov", {"skip": skips})


def _applies(finding: Finding, node: CfnResource, settings: Settings) -> bool:
    return (
        node.cfn_resource_type in finding.kinds
        and not (finding.unless and getattr(settings, finding.unless))
        and node.node.path.endswith(finding.only)
    )


def table() -> str:
    return "\n".join(
        ["| on | checkov | NIST 800-53 | left, because | not found with |", "|---|---|---|---|---|", *_rows()]
    )


def _rows() -> Iterator[str]:
    for each in LEFT:
        on = ", ".join(kind.split("::", 1)[1].replace("::", " ") for kind in each.kinds)
        where = f"{on} ({each.only.split('/')[1]})" if each.only else on
        setting = f"`rekey:{each.unless}`" if each.unless else ""
        yield f"| {where} | {each.checkov} | {each.nist} | {each.reason} | {setting} |"


def with_table(page: str) -> str:
    """A page with the table between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
