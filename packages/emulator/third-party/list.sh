#!/usr/bin/env bash
# Prints a user's whole conversation list: type, id and time of each conversation, separated by tabs.
#
#   ZIM_BASE_URL=... ZIM_APP_ID=... ZIM_SERVER_SECRET=... list.sh USER_ID [PAGE_SIZE]
#
# Bash, curl, md5sum, grep, sed and awk; nothing else.
set -euo pipefail

user=$1
size=${2:-500}

# One signed request. The URL goes to curl through a pipe: arguments can be seen by every user of the machine.
request() {
  local nonce timestamp signature query
  nonce=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  timestamp=$(date +%s)
  signature=$(printf '%s' "$ZIM_APP_ID$nonce$ZIM_SERVER_SECRET$timestamp" | md5sum | cut -d ' ' -f 1)
  query="Action=QueryConversationList&AppId=$ZIM_APP_ID&SignatureNonce=$nonce&Timestamp=$timestamp"
  printf 'url = "%s/?%s&SignatureVersion=2.0&Signature=%s"\n' "$ZIM_BASE_URL" "$query" "$signature" |
    curl --config - --silent --show-error --max-time 10 --header 'Content-Type: application/json' --data "$1"
}

# number NAME ANSWER: a number of the answer's top level, digit by digit.
number() {
  printf '%s' "$2" | grep -oE "\"$1\": *[0-9]+" | head -n 1 | grep -oE '[0-9]+$'
}

# The answer to a request, which is repeated (signed anew) while the service asks for patience.
patiently() {
  local answer code attempt
  for attempt in 1 2 3 4 5 6 7 8; do
    answer=$(request "$1")
    code=$(number Code "$answer") || { echo 'the answer has no Code' >&2; return 1; }
    case $code in
      0) printf '%s' "$answer"; return ;;
      1 | 7 | 660300005 | 660000001 | 660000003) sleep "$attempt" ;;
      *) break ;;
    esac
  done
  echo "$code $(printf '%s' "$answer" | sed -n 's/.*"Message": *"\([^"]*\)".*/\1/p')" >&2
  return 1
}

next=0
while :; do
  answer=$(patiently "{\"FromUserId\":\"$user\",\"Limit\":$size,\"Next\":$next}")
  # Members with a simple value, and the braces outside of texts: that is all the JSON there is to read here.
  printf '%s' "$answer" | grep -oE '"[A-Za-z]+": *("[^"]*"|[0-9]+)|[{}]' | awk '
    /^\{/ { id = ""; type = 0; time = 0 }
    /^"ConvId"/ { id = $0; sub(/^"ConvId": *"/, "", id); sub(/"$/, "", id) }
    /^"ConvType"/ { type = $0; sub(/^.*: */, "", type) }
    /^"UpdateTime"/ { time = $0; sub(/^.*: */, "", time) }
    /^\}/ { if (id != "") print type "\t" id "\t" time; id = "" }
  '
  # Without Next nobody knows whether the list is complete.
  next=$(number Next "$answer") || { echo 'the answer has no Next' >&2; exit 1; }
  [ "$next" != 0 ] || break
done
