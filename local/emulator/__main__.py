"""Starts MiniStack with what it lacks of KMS, STS, Step Functions and more; its settings are environment variables."""

import os

from ministack import app  # type: ignore[import-untyped]
from ministack.core import iam_actions  # type: ignore[import-untyped]
from ministack.services import iam, kms, stepfunctions, sts  # type: ignore[import-untyped]

from local.emulator import (
    aliases,
    bus_policy,
    default_bus,
    executions,
    key_material,
    key_policy,
    key_usage,
    log_groups,
    moments,
    nested,
    principal_arn,
    pseudo_parameters,
    python_runtimes,
    query_language,
    schedules,
    stack_properties,
    trail,
    transport,
)
from local.emulator.redrive import Redrives
from local.emulator.web_identity import WebIdentity, with_condition_keys

web_identity = WebIdentity(os.environ["AWS_ENDPOINT_URL"])
kms.handle_request = key_policy.beside(key_material.beside(kms.handle_request))
iam.handle_request = web_identity.beside_iam(iam.handle_request)
sts.handle_request = web_identity.beside_sts(sts.handle_request)
iam_actions.request_tag_context = with_condition_keys(iam_actions.request_tag_context)
iam_actions.extract_resource_arn = default_bus.named_by_aws(iam_actions.extract_resource_arn)
iam_actions.extract_resource_arn = aliases.named(iam_actions.extract_resource_arn)
app.app = web_identity.beside_app(app.app)
key_usage.add_condition_keys()
principal_arn.show_roles()
bus_policy.register()
transport.count_as_secure()
pseudo_parameters.resolve()
stack_properties.keep()
log_groups.are_the_stacks()
python_runtimes.run_by_the_runtime_client()
trail.enable_rules_that_see_reads()
moments.come_when_they_come()
schedules.are_of_their_time_zone()
executions.end_once()
nested.play()
query_language.is_the_states_own()
stepfunctions.handle_request = Redrives().beside(stepfunctions.handle_request)

if __name__ == "__main__":
    app.main()
