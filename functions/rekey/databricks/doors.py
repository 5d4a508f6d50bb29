"""Which doors of a host are shut, asked without a credential: any answer that is not the network's is an open door.

Databricks' access lists answer before the credential is looked at, at the token endpoint's discovery document as well
(omnigent-ai/omnigent#4463). So one door that is shut does not hide the others.
"""

from collections.abc import Mapping

from rekey.base.errors import NetworkRefused, RekeyError
from rekey.databricks.answers import Asked
from rekey.databricks.classify import refused
from rekey.databricks.transport import Wire


def shut_doors(host: str, doors: Mapping[str, str]) -> dict[str, RekeyError]:
    """What keeps rekey from each of the doors, name and path; from the host altogether it is told once, under ""."""
    wire, found = Wire(host), dict[str, RekeyError]()
    for name, path in doors.items():
        asked = Asked("GET", path, changing=False)
        try:
            response = wire.send(asked)
        except RekeyError as error:
            return {"": error}
        if not response.ok or response.is_redirect:
            said = refused(response, asked)
            # Without a credential any other refusal, and the way to a login page, is as it should be.
            if isinstance(said, NetworkRefused):
                found[name] = said
    return found


def unreachable(host: str) -> RekeyError | None:
    """What keeps rekey from a host that is not Databricks'; whatever it answers is an answer."""
    try:
        Wire(host).send(Asked("GET", "/", changing=False))
    except RekeyError as error:
        return error
    return None
