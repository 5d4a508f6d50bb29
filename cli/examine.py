"""The checks of `rekey doctor`, in the order of its lines. What one cannot tell hides no other."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli import trails
from cli.stack import CONFIG, Stack, StackError, Where
from cli.troubles import AWS_ERRORS, explain
from cli.wording import counted
from local.cloud import CloudError
from rekey.model.checks import Check

DEPLOY_AGAIN = "deploy the stack again"
DEAD_LETTERS = ("Undelivered", "Unpublished", "Failed", "Untold")
"""What the logical ids of queues contain in which calls that went wrong wait to be seen."""

RULES = {"carry-on": "ENABLED", "reenable-key": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}
"""Rules of the default bus by what they call, and the state that they must be in."""

LATELY = timedelta(hours=2)
"""Key check and finisher run every 15 and 5 minutes where the settings say nothing else."""

_MISSING = ("NotFound", "NoSuch", "DoesNotExist", "NonExistent", "ResourceNotFound")
Found = Iterator[Check]


def all_of(where: Where) -> list[Check]:
    """Every check; of a stack that is not found only that."""
    try:
        stack = where.find()
        who = stack.caller_arn
    except (StackError, CloudError) as error:
        return [wrong("stack", *_in_two(str(error)))]
    except AWS_ERRORS as error:
        trouble = explain(error)
        return [wrong("credentials", trouble.problem, trouble.fix)]
    examined = Examination(stack, where.stack)
    checks = [good("credentials", f"{who}, {stack.region}")]
    for name, check in examined.checks.items():
        checks += _told(name, check)
    return checks


def good(name: str, said: str) -> Check:
    return Check(name=name, ok=True, said=said)


def wrong(name: str, said: str, fix: str = "") -> Check:
    return Check(name=name, ok=False, said=said, fix=fix)


def unknown(name: str, said: str, fix: str = "") -> Check:
    return Check(name=name, ok=None, said=f"cannot be told: {said}", fix=fix)


def _told(name: str, check: Callable[[], Found]) -> list[Check]:
    found: list[Check] = []
    try:
        found += check()
    except StackError as error:
        found.append(wrong(name, *_in_two(str(error))))
    except (ClientError, BotoCoreError) as error:
        code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
        trouble = explain(error)
        if any(each in code for each in _MISSING):
            found.append(wrong(name, trouble.problem, DEPLOY_AGAIN))
        else:
            found.append(unknown(name, trouble.problem, trouble.fix))
    return found


def _in_two(message: str) -> tuple[str, str]:
    """What cli.stack's own messages are made of."""
    problem, _, fix = message.partition(". Fix: ")
    return problem, fix


@dataclass(frozen=True)
class Examination:
    """One stack, and what CloudFormation knows of it. `stack_name` is CloudFormation's."""

    stack: Stack
    stack_name: str

    @property
    def checks(self) -> Mapping[str, Callable[[], Found]]:
        return {
            "stack": self._stack,
            "state machine": self._machine,
            "Lambdas": self._lambdas,
            "network and login": self._ways,
            "key check": lambda: self._scheduled("key check", "disable-old-key"),
            "finisher": lambda: self._scheduled("finisher", "carry-on"),
            "Security Hub": self._security_hub,
            "rules": self._rules,
            "trail": self._trail,
            "alarms": self._alarms,
            "alarms' topic": self._topic,
            "dead-letter queues": self._queues,
            "evidence bucket": self._bucket,
            "tickets": self._tickets,
        }

    def _client(self, service: str) -> Any:
        return self.stack.session.client(service, config=CONFIG, **self.stack.options)  # type: ignore[call-overload]

    @cached_property
    def _described(self) -> dict[str, Any]:
        (found,) = self._client("cloudformation").describe_stacks(StackName=self.stack_name)["Stacks"]
        return dict(found)

    @property
    def _outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self._described.get("Outputs", [])}

    @cached_property
    def _resources(self) -> list[dict[str, Any]]:
        pages = self._client("cloudformation").get_paginator("list_stack_resources")
        return [each for page in pages.paginate(StackName=self.stack_name) for each in page["StackResourceSummaries"]]

    def _of(self, kind: str) -> dict[str, str]:
        """{logical id: physical id}."""
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in self._resources
            if each["ResourceType"] == kind and each.get("PhysicalResourceId")
        }

    def _stack(self) -> Found:
        from importlib.metadata import version

        status, here, there = self._described["StackStatus"], version("rekey"), self._outputs.get("Version")
        if not status.endswith("_COMPLETE") or status.startswith(("ROLLBACK", "DELETE")):
            why = self._described.get("StackStatusReason", "no reason given")
            yield wrong("stack", f"{self.stack_name} is {status} ({why})", DEPLOY_AGAIN)
        elif there and there != here:
            fix = f"{DEPLOY_AGAIN}, or install rekey {there} here"
            yield wrong("stack", f"{self.stack_name} is of version {there}, this rekey is {here}", fix)
        else:
            yield good("stack", f"{self.stack_name}, version {there or 'not said'}, {status}")

    def _machine(self) -> Found:
        status = self.stack.stepfunctions.describe_state_machine(stateMachineArn=self.stack.state_machine_arn)["status"]
        name = self.stack.state_machine_arn.rpartition(":")[2]
        yield (
            good("state machine", f"{name} {status}")
            if status == "ACTIVE"
            else wrong("state machine", f"{name} is {status}", DEPLOY_AGAIN)
        )

    def _lambdas(self) -> Found:
        names = sorted(self._of("AWS::Lambda::Function").values())
        found = [self.stack.functions.get_function_configuration(FunctionName=each) for each in names]
        bad = [each["FunctionName"] for each in found if not _works(each)]
        codes = {each["CodeSha256"] for each in found}
        runtimes = ", ".join(sorted({each.get("Runtime", "") for each in found}))
        if bad:
            yield wrong("Lambdas", f"{', '.join(bad)} cannot run, or the last update of it failed", DEPLOY_AGAIN)
        elif len(codes) > 1:
            yield wrong("Lambdas", f"{len(found)} run {len(codes)} versions of the code", DEPLOY_AGAIN)
        else:
            yield good("Lambdas", f"{len(found)}, one version of the code, {runtimes}")

    def _ways(self) -> Found:
        for each in self.stack.invoke("doctor", {})["checks"]:
            yield Check(**each)

    def _scheduled(self, name: str, called: str) -> Found:
        full = f"{self.stack.name}-{called}"
        schedule = self._client("scheduler").get_schedule(Name=full)
        if schedule["State"] != "ENABLED":
            yield wrong(name, f"the schedule {full} is {schedule['State']}", "enable it")
            return
        runs, failures = self._counted(full, "Invocations"), self._counted(full, "Errors")
        rate, hours = schedule["ScheduleExpression"], LATELY // timedelta(hours=1)
        if not runs and self.stack.is_local:
            yield good(name, f"the schedule is enabled, {rate}; the local cloud counts no runs")
        elif not runs:
            fix = f"see the log group /aws/lambda/{full}; a stack that was just deployed needs {rate}"
            yield wrong(name, f"no run within {hours} hours ({rate})", fix)
        elif failures >= runs:
            yield wrong(name, f"each of the last {runs:g} runs failed", f"see the log group /aws/lambda/{full}")
        else:
            yield good(name, f"{counted(int(runs), 'run')} within {hours} hours, {failures:g} failed ({rate})")

    def _security_hub(self) -> Found:
        """Nothing where the setting is off."""
        if f"{self.stack.name}-report-findings" in self._of("AWS::Lambda::Function").values():
            yield from self._scheduled("Security Hub", "report-findings")

    def _counted(self, function: str, metric: str) -> float:
        now = datetime.now(UTC)
        points = self._client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=now - LATELY,
            EndTime=now,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(each["Sum"] for each in points))

    def _rules(self) -> Found:
        """Rules on the default bus: of the finisher, and of what brings a key back."""
        for called, wanted in RULES.items():
            rule = f"{self.stack.name}-{called}"
            state = self._client("events").describe_rule(Name=rule)["State"]
            if state != wanted and not (self.stack.is_local and state != "DISABLED"):
                yield wrong("rules", f"the rule {rule} is {state}", DEPLOY_AGAIN)
            else:
                yield good("rules", f"{rule} {state}")

    def _trail(self) -> Found:
        if self.stack.is_local:
            yield unknown("trail", "the local cloud tells of refused uses without one")
        else:
            yield from trails.check(self._client("cloudtrail"), self.stack.region)

    def _alarms(self) -> Found:
        names = list(self._of("AWS::CloudWatch::Alarm").values())
        found = [
            each
            for start in range(0, len(names), 100)
            for each in self._client("cloudwatch").describe_alarms(AlarmNames=names[start : start + 100])[
                "MetricAlarms"
            ]
        ]
        ringing = [each for each in found if each["StateValue"] == "ALARM"]
        for each in ringing:
            meaning, _, section = each.get("AlarmDescription", "").partition(": ")
            yield wrong("alarms", f"{each['AlarmName']}: {meaning}", f"see {section}" if section else "")
        if not ringing:
            yield good("alarms", f"{len(names)}, none rings")

    def _topic(self) -> Found:
        (topic,) = self._of("AWS::SNS::Topic").values()
        attributes = self._client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
        confirmed, pending = (int(attributes.get(f"Subscriptions{each}", 0)) for each in ("Confirmed", "Pending"))
        if confirmed:
            yield good("alarms' topic", counted(confirmed, "confirmed subscription"))
        elif pending:
            said = f"{counted(pending, 'subscription')} to be confirmed"
            yield wrong("alarms' topic", said, "open the link in the mail that AWS sent")
        elif self.stack.is_local:
            yield unknown("alarms' topic", "nobody listens in the local cloud")
        else:
            fix = f"set rekey:alarm_email, or subscribe your pager: aws sns subscribe --topic-arn {topic}"
            yield wrong("alarms' topic", "nobody hears of an alarm", fix)

    def _queues(self) -> Found:
        queues = {
            logical: url
            for logical, url in self._of("AWS::SQS::Queue").items()
            if any(each in logical for each in DEAD_LETTERS)
        }
        full = 0
        for url in queues.values():
            asked = ["ApproximateNumberOfMessages"]
            attributes = self._client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
            if waiting := int(attributes[asked[0]]):
                full += 1
                said = f"{counted(waiting, 'message')} in {url.rpartition('/')[2]}"
                yield wrong("dead-letter queues", said, 'docs/operations.md, "Alarms", says of each what to do')
        if not full:
            yield good("dead-letter queues", f"{len(queues)}, all empty")

    def _bucket(self) -> Found:
        bucket, s3 = self.stack.evidence_bucket, self._client("s3")
        if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
            yield wrong("evidence bucket", "it keeps no versions", DEPLOY_AGAIN)
            return
        yield good("evidence bucket", f"versioned, {_lock(s3, bucket)}")

    def _tickets(self) -> Found:
        if "TicketsUrl" not in self._outputs:
            return
        secret = self._outputs["TicketsSecretArn"]
        versions = self._client("secretsmanager").describe_secret(SecretId=secret).get("VersionIdsToStages", {})
        if len(versions) < 2:
            fix = "write the webhook secrets into it: docs/tickets.md has the form"
            yield wrong("tickets", "the secret is as the stack made it: no delivery is authentic", fix)
        else:
            yield good("tickets", f"{self._outputs['TicketsUrl']}, the webhook secret is written")


def _works(function: Mapping[str, Any]) -> bool:
    state, update = function.get("State", "Active"), function.get("LastUpdateStatus", "Successful")
    return bool(state == "Active" and update == "Successful")


def _lock(s3: Any, bucket: str) -> str:
    try:
        lock = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ObjectLockConfigurationNotFoundError":
            return "not locked (rekey:evidence_lock_days)"
        raise
    kept = lock.get("Rule", {}).get("DefaultRetention", {})
    return f"locked for {kept.get('Days', '?')} days ({kept.get('Mode', '?')})"
