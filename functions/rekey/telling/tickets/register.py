"""Which rotation a ticket has: the ledger's item TICKET#<provider>:<key>, and what Step Functions says of it."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.base import clock
from rekey.ledger.items import marshal, unmarshal
from rekey.model.entries import Item
from rekey.telling.tickets.settings import Places

_STARTING_SECONDS = 60
"""So long after a claim an execution may still be on its way."""

GOING_OR_DONE = ("RUNNING", "PENDING_REDRIVE", "SUCCEEDED")


@dataclass(frozen=True, slots=True)
class Claim:
    """A ticket's rotation, or fleet; `holds` while it goes on, is only now being started, or went well."""

    rotation_id: str
    holds: bool
    ended: bool
    """Whether its execution has ended."""
    fleet: str = ""
    """The fleet's name, if it is one."""


class Register:
    """One rotation for each ticket. A failed or refused one may be asked for again, by a new approval."""

    def __init__(self, table: str, places: Places) -> None:
        self._table = table
        self._places = places

    def status_of(self, rotation_id: str) -> str | None:
        """The execution's status; None when there is none."""
        client = clients.stepfunctions()
        for arn in self._places.execution_arns(rotation_id):
            try:
                return client.describe_execution(executionArn=arn)["status"]
            except client.exceptions.ExecutionDoesNotExist:
                continue
        return None

    def current(self, ticket_id: str) -> Claim | None:
        """The rotation that the ticket has, or had."""
        found = clients.dynamodb().get_item(TableName=self._table, Key=marshal(_key(ticket_id)), ConsistentRead=True)
        if "Item" not in found:
            return None
        item = unmarshal(found["Item"])
        rotation_id = str(item["rotation_id"])
        status = self.status_of(rotation_id)
        fresh = clock.now().timestamp() - float(item["claimed_at"]) < _STARTING_SECONDS
        holds = status in GOING_OR_DONE or (status is None and fresh)
        fleet = str(item.get("fleet", ""))
        return Claim(rotation_id, holds=holds, ended=status not in (None, "RUNNING"), fleet=fleet)

    def claim(self, ticket_id: str, rotation_id: str, *, replaces: str | None, fleet: str = "") -> bool:
        """Make the rotation the ticket's, in place of the one that was seen. False when another was faster.

        The same delivery may come twice at once: StartExecution alone would take both for the first.
        """
        client = clients.dynamodb()
        item = {**_key(ticket_id), "rotation_id": rotation_id, "claimed_at": int(clock.now().timestamp())}
        if fleet:
            item["fleet"] = fleet
        try:
            client.put_item(
                TableName=self._table,
                Item=marshal(item),
                ConditionExpression="attribute_not_exists(pk) OR rotation_id = :seen",
                ExpressionAttributeValues=marshal({":seen": replaces or "-"}),
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def start(self, rotation_id: str, request: str, *, fleet: bool = False) -> bool:
        """Start the execution, of a rotation or of a fleet. False when it was started before."""
        client = clients.stepfunctions()
        machine = self._places.fleet_machine_arn if fleet else self._places.state_machine_arn
        try:
            client.start_execution(stateMachineArn=machine, name=rotation_id, input=request)
        except ClientError as error:
            if clients.error_code(error) != "ExecutionAlreadyExists":
                raise
            return False
        return True


def _key(ticket_id: str) -> Item:
    return {"pk": f"TICKET#{ticket_id}", "sk": "TICKET"}
