# A client in curl and md5sum alone, as the vendor's documentation describes one. Prints what it gets, line by line.
# Needs URL, APP_ID, SECRET.
set -eu

# call NAME BODY [VARIABLE=VALUE...]: a signed request, with whatever the variables change. One line: NAME STATUS ANSWER
call() {
  name=$1 body=$2
  shift 2
  action=QueryConversationList app=$APP_ID secret=$SECRET version=2.0 type=application/json method=POST path=/
  time=$(date +%s)
  nonce=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  for change in "$@"; do
    case $change in
      drop=*) ;;
      *) eval "${change%%=*}=\${change#*=}" ;;
    esac
  done
  signature=$(printf '%s%s%s%s' "$app" "$nonce" "$secret" "$time" | md5sum | cut -d ' ' -f 1)
  query="Action=$action&AppId=$app&SignatureNonce=$nonce&Timestamp=$time&SignatureVersion=$version&Signature=$signature"
  for change in "$@"; do
    case $change in
      drop=*) query=$(printf '%s' "$query" | sed "s/\(^\|&\)${change#drop=}=[^&]*//") ;;
    esac
  done
  printf '%s ' "$name"
  curl --silent --show-error --max-time 10 --write-out ' %{http_code}\n' \
    --request "$method" --header "Content-Type: $type" --data "$body" "$URL$path?$query"
}

# The whole list, page by page: Next of one answer is sent with the next request.
next=0
while :; do
  line=$(call page "{\"FromUserId\":\"u1\",\"Limit\":100,\"Next\":$next}")
  echo "$line"
  next=$(printf '%s' "$line" | sed 's/.*"Next":\([0-9]*\).*/\1/')
  [ "$next" != 0 ] || break
done

u1='{"FromUserId":"u1"}'
call no-action "$u1" drop=Action
call wrong-action "$u1" action=queryconversationlist
call no-app "$u1" drop=AppId
call malformed-app "$u1" app=abc
call unknown-app "$u1" app=54321
call no-timestamp "$u1" drop=Timestamp
call malformed-timestamp "$u1" time=now
call no-nonce "$u1" drop=SignatureNonce
call no-signature "$u1" drop=Signature
call no-version "$u1" drop=SignatureVersion
call version-1 "$u1" version=1.0
call old "$u1" time=$(($(date +%s) - 660))
call early "$u1" time=$(($(date +%s) + 660))
call milliseconds "$u1" time=$(date +%s)000
call wrong-secret "$u1" secret=wrong
call not-json 'FromUserId=u1'
call form "$u1" type=application/x-www-form-urlencoded
call no-user '{}'
call illegal-user '{"FromUserId":"a/b"}'
call long-user '{"FromUserId":"123456789012345678901234567890123"}'
call unregistered '{"FromUserId":"nobody"}'
call limit-text '{"FromUserId":"u1","Limit":"10"}'
call wrong-next '{"FromUserId":"u1","Next":100}'
call get "$u1" method=GET
call elsewhere "$u1" path=/v2
