"""Prints a user's whole conversation list: type, id and time of each conversation, separated by tabs.

    ZIM_BASE_URL=... ZIM_APP_ID=... ZIM_SERVER_SECRET=... python3 list.py USER_ID [PAGE_SIZE]

Python 3, standard library only.
"""

import hashlib
import json
import os
import secrets
import sys
import time
import urllib.parse
import urllib.request

PATIENCE = {1, 7, 660300005, 660000001, 660000003}


def request(body):
    """One signed request."""
    nonce = secrets.token_hex(8)
    timestamp = str(int(time.time()))
    app_id = os.environ["ZIM_APP_ID"]
    signed = app_id + nonce + os.environ["ZIM_SERVER_SECRET"] + timestamp
    query = urllib.parse.urlencode({
        "Action": "QueryConversationList",
        "AppId": app_id,
        "SignatureNonce": nonce,
        "Timestamp": timestamp,
        "SignatureVersion": "2.0",
        "Signature": hashlib.md5(signed.encode()).hexdigest(),
    })
    url = os.environ["ZIM_BASE_URL"] + "/?" + query
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(
        urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=10
    ) as response:
        return json.load(response)


def patiently(body):
    """The answer to a request, which is repeated (signed anew) while the service asks for patience."""
    for attempt in range(1, 9):
        answer = request(body)
        if answer["Code"] == 0:
            return answer
        if answer["Code"] not in PATIENCE:
            break
        time.sleep(attempt)
    sys.exit(f'{answer["Code"]} {answer["Message"]}')


def conversations(user_id, page_size):
    cursor = 0
    while True:
        # Python's integers have no largest one, so the cursor stays exact.
        answer = patiently({"FromUserId": user_id, "Limit": page_size, "Next": cursor})
        yield from answer.get("List") or []
        cursor = answer["Next"]
        if cursor == 0:
            return


if __name__ == "__main__":
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    for conversation in conversations(sys.argv[1], size):
        print(conversation.get("ConvType", 0), conversation["ConvId"], conversation["UpdateTime"], sep="\t")
