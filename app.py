"""CDK entry: read the settings from context, make one stack. No AWS call, no git call, no network."""

import sys

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from infra.settings import Settings, SettingsError
from infra.stack import RekeyStack


def main() -> None:
    """Synthesize the stack; a wrong setting ends the run with a message instead of a traceback."""
    app = App()
    try:
        settings = Settings.from_context(app.node.get_all_context())
        RekeyStack(app, settings)
    except SettingsError as error:
        sys.exit(f"rekey: {error}")
    if not settings.is_local:  # it judges what goes to AWS; the emulator speaks plain HTTP
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
    app.synth()


if __name__ == "__main__":
    main()
