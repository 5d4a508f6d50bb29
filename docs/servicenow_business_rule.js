/*
 * rekey: sends an approved change to rekey, signed as Standard Webhooks asks (https://www.standardwebhooks.com).
 *
 * Business rule (System Definition > Business Rules), to be pasted as it is:
 *   Table      change_request            (the one that rekey:tickets names)
 *   When       async, after update       (a slow network does not hold up who approves)
 *   Condition  current.approval.changesTo('approved')
 *
 * System properties it reads:
 *   rekey.webhook.url         https://<api id>.execute-api.<region>.amazonaws.com/tickets/servicenow
 *   rekey.webhook.credential  sys_id of a Basic Auth credential whose password is the webhook secret (whsec_...)
 *
 * Only the change's number is sent: rekey reads everything else back from ServiceNow.
 */
(function executeRule(current) {
    var secret = String(
        new sn_cc.StandardCredentialsProvider()
            .getCredentialByID(gs.getProperty('rekey.webhook.credential'))
            .getAttribute('password')
    );
    var id = 'msg_' + gs.generateGUID();
    var timestamp = String(Math.floor(new Date().getTime() / 1000));
    var body = JSON.stringify({
        table: String(current.getTableName()),
        number: String(current.getValue('number')),
        sys_id: String(current.getUniqueValue())
    });

    // generateMac takes the key in base64 and gives the MAC in base64: what Standard Webhooks has on both sides.
    // The class has one name in scoped applications and another in the global scope.
    var signer = typeof GlideCertificateEncryption === 'undefined' ? new CertificateEncryption() : new GlideCertificateEncryption();
    var mac = signer.generateMac(secret.replace(/^whsec_/, ''), 'HmacSHA256', id + '.' + timestamp + '.' + body);

    var request = new sn_ws.RESTMessageV2();
    request.setEndpoint(gs.getProperty('rekey.webhook.url'));
    request.setHttpMethod('POST');
    request.setRequestHeader('Content-Type', 'application/json');
    request.setRequestHeader('webhook-id', id);
    request.setRequestHeader('webhook-timestamp', timestamp);
    request.setRequestHeader('webhook-signature', 'v1,' + mac);
    request.setRequestBody(body);
    request.setHttpTimeout(30000);

    // The same id, time and signature each time: rekey takes a repeat for what it is. 4xx will not get better.
    var status = 0;
    for (var attempt = 0; attempt < 3 && (status === 0 || status >= 500 || status === 429); attempt++) {
        var response = request.execute();
        status = Number(response.getStatusCode());
    }
    if (status === 200 || status === 202) {
        gs.info('rekey: ' + current.getValue('number') + ' ' + String(response.getBody()));
    } else {
        gs.error('rekey: ' + current.getValue('number') + ' was answered ' + status + ' ' + String(response.getBody()));
    }
})(current, previous);
