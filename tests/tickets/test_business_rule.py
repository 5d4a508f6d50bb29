"""docs/servicenow_business_rule.js, run in node with ServiceNow's objects around it: what it sends is authentic."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.tickets import servicenow
from rekey.telling.tickets.errors import NotAuthentic
from rekey.telling.tickets.signatures import verify_standard
from tests.tickets.desk import Desk

RULE = Path(__file__).resolve().parents[2] / "docs" / "servicenow_business_rule.js"
NODE = Path(sys.executable).with_name("node")
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

# ServiceNow's own objects, as far as the rule uses them (docs.servicenow.com, "Server API reference").
SERVICENOW = """
const crypto = require('crypto');
const given = JSON.parse(process.argv[2]);
const sent = [];
const properties = {
  'rekey.webhook.url': 'https://api.example.com/tickets/servicenow', 'rekey.webhook.credential': 'c1',
};
const gs = {
  getProperty: (name) => properties[name], generateGUID: () => '0123456789abcdef0123456789abcdef',
  info: (text) => {}, error: (text) => { process.stderr.write(text); },
};
const sn_cc = {StandardCredentialsProvider: class {
  getCredentialByID(id) { return {getAttribute: (name) => id === 'c1' && name === 'password' ? given.secret : null}; }
}};
class SCOPE {
  generateMac(key, algorithm, text) {
    if (algorithm !== 'HmacSHA256') throw new Error(algorithm);
    return crypto.createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
  }
}
const sn_ws = {RESTMessageV2: class {
  constructor() { this.headers = {}; }
  setEndpoint(url) { this.url = url; }
  setHttpMethod(method) { this.method = method; }
  setHttpTimeout() {}
  setRequestHeader(name, value) { this.headers[name.toLowerCase()] = value; }
  setRequestBody(body) { this.body = body; }
  execute() {
    sent.push({url: this.url, method: this.method, headers: this.headers, body: this.body});
    const status = given.statuses[sent.length - 1];
    return {getStatusCode: () => status, getBody: () => '{}'};
  }
}};
const current = {
  getTableName: () => 'change_request', getValue: (name) => given.record[name],
  getUniqueValue: () => given.record.sys_id,
};
const previous = null;
"""


def run(*statuses: int, number: str = "CHG0030001", signer: str = "GlideCertificateEncryption") -> list[Any]:
    """Run the rule with these answers; gives what it sent."""
    given = {"secret": SECRET, "statuses": statuses, "record": {"number": number, "sys_id": "a" * 32}}
    program = f"{SERVICENOW.replace('SCOPE', signer)}\n{RULE.read_text()}\nprocess.stdout.write(JSON.stringify(sent));"
    ran = subprocess.run(
        [NODE, "-e", program, "--", "-", json.dumps(given)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stdout, ran.stderr
    sent: list[Any] = json.loads(ran.stdout)
    return sent


@pytest.mark.parametrize("signer", ["GlideCertificateEncryption", "CertificateEncryption"])
def test_what_the_rule_sends_is_authentic(signer: str) -> None:
    """The second is the class' name in the global scope."""
    [sent] = run(202, signer=signer)
    assert (sent["method"], sent["url"]) == ("POST", "https://api.example.com/tickets/servicenow")
    body = sent["body"].encode()
    assert verify_standard([SECRET], sent["headers"], body) == "msg_0123456789abcdef0123456789abcdef"
    with pytest.raises(NotAuthentic):
        verify_standard([SECRET], sent["headers"], body.replace(b"CHG", b"CHX"))


def test_the_stand_in_sends_the_same_body(desk: Desk) -> None:
    ticket = desk.open("servicenow")
    [sent] = run(202, number=ticket.key)
    assert json.loads(sent["body"]).keys() == servicenow.approved(ticket).keys()


def test_what_the_rule_sends_starts_a_rotation(desk: Desk) -> None:
    ticket = desk.open("servicenow")
    desk.approve("servicenow", ticket)
    desk.state.secret["servicenow"]["webhook_secrets"].append(SECRET)
    desk.write_secret(desk.state.secret)
    [sent] = run(202, number=ticket.key)
    assert desk.post("servicenow", sent["body"].encode(), sent["headers"])[0] == 202


@pytest.mark.parametrize(("statuses", "tries"), [((503, 202), 2), ((503, 500, 503), 3), ((401,), 1), ((200,), 1)])
def test_it_tries_again_only_where_that_helps_and_signed_alike(statuses: tuple[int, ...], tries: int) -> None:
    sent = run(*statuses)
    assert len(sent) == tries
    assert all(each == sent[0] for each in sent)
