#!/bin/sh
# Fetches the environment of an application when its machine starts, and writes it to
# /run/aloft/APP.env for its units (systemd.exec(5), EnvironmentFile=). It is installed as
# /usr/local/lib/aloft/env and runs as root: fetch-env.sh APP
#
# Credentials are those of the machine's role. They and the values are never in the
# arguments of a program, which every user could read, and in no message.
set -eu
umask 077
app=$1
run=${ALOFT_RUN:-/run/aloft}
# This file says that the machine has a role, which may take a moment to appear. It is in
# images that were made on a machine with a role.
marker=${ALOFT_ETC:-/etc/aloft}/$app.role
metadata=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}
metadata=${metadata%/}
attempts=${ALOFT_ATTEMPTS:-30} # with two seconds between them

mkdir -p "$run"
work=$(mktemp -d "$run/.$app.XXXXXX")
trap 'rm -rf "$work"' EXIT
reason=

fail() {
	echo "aloft: the environment of $app cannot be fetched: $*" >&2
	exit 1
}

# eventually repeats a command until it succeeds. Status 1 means that it may succeed later,
# 2 that it will not. $reason says why it failed.
eventually() {
	what=$1
	shift
	tried=1
	while :; do
		code=0
		"$@" || code=$?
		if [ "$code" = 0 ]; then return 0; fi
		if [ "$code" = 2 ] || [ "$tried" -ge "$attempts" ]; then fail "$what: $reason"; fi
		tried=$((tried + 1))
		sleep 2
	done
}

# json reads JSON from standard input. get prints the text at a path of keys; variables and
# secrets print a line for each entry, NAME and the value in base64, or NAME and reference;
# inner prints a text or number in the JSON that is the text at SecretString.
reader='
import base64, json, sys
mode, keys = sys.argv[1], sys.argv[2:]
try:
    data = json.load(sys.stdin)
    if mode == "variables":
        merged = {**(data.get("set") or {}), **(data.get("spec") or {})}
        for name, value in sorted(merged.items()):
            print(name, base64.b64encode(value.encode()).decode())
    elif mode == "secrets":
        for name, reference in sorted((data.get("secrets") or {}).items()):
            print(name, reference)
    else:
        if mode == "inner":
            data = json.loads(data["SecretString"])
        for key in keys:
            data = data[key]
        if data is None or isinstance(data, (dict, list)):
            sys.exit(1)
        text = data if isinstance(data, str) else json.dumps(data)
        sys.stdout.buffer.write(text.encode())
except (ValueError, KeyError, TypeError, AttributeError):
    sys.exit(1)
'
scalar='if type == "string" then . elif type == "number" or type == "boolean" then tojson else error("none") end'
json() {
	if command -v python3 >/dev/null 2>&1; then
		python3 -c "$reader" "$@"
		return
	fi
	mode=$1
	shift
	case $mode in
	variables) jq -r '(.set // {}) + (.spec // {}) | to_entries[] | "\(.key) \(.value | @base64)"' ;;
	secrets) jq -r '(.secrets // {}) | to_entries[] | "\(.key) \(.value)"' ;;
	inner) jq -j --arg key "$1" '.SecretString | fromjson | .[$key] | '"$scalar" ;;
	get) jq -j "getpath(\$ARGS.positional) | $scalar" --args "$@" ;;
	esac 2>/dev/null
}

. "${0%/*}/aws.sh"

# quoted writes NAME="value" with a value from standard input.
quoted() {
	printf '%s="' "$1"
	sed 's/[\\"`$]/\\&/g'
	printf '"\n'
}

find_variables() {
	name=/aloft/$deployment/env/variables
	type=
	if aws ssm AmazonSSM.GetParameter "{\"Name\":\"$name\",\"WithDecryption\":true}"; then
		json get Parameter Value <"$work/body" >"$work/packed"
		return
	fi
	[ "$type" = ParameterNotFound ] || return 1
	: >"$work/packed" # there are no variables
}

# resolve writes the value that a reference stands for to $work/value.
resolve() {
	case $1 in
	ssm:*)
		aws ssm AmazonSSM.GetParameter "{\"Name\":\"${1#ssm:}\",\"WithDecryption\":true}" || return
		json get Parameter Value <"$work/body" >"$work/value"
		;;
	secretsmanager:*)
		id=${1#secretsmanager:}
		aws secretsmanager secretsmanager.GetSecretValue "{\"SecretId\":\"${id%%#*}\"}" || return
		reason="the secret is not a text"
		case $id in
		*'#'*)
			reason="the secret has no value ${id#*#}"
			json inner "${id#*#}" <"$work/body" >"$work/value" || return 2
			;;
		*) json get SecretString <"$work/body" >"$work/value" || return 2 ;;
		esac
		;;
	*)
		reason="it is neither a parameter nor a secret"
		return 2
		;;
	esac
}

finish() {
	mv "$work/env" "$run/$app.env"
	exit 0
}

command -v python3 >/dev/null 2>&1 || command -v jq >/dev/null 2>&1 || fail "neither python3 nor jq is installed"
: >"$work/env"
if [ -e "$marker" ]; then
	eventually "the role" find_role
elif ! find_role; then
	if [ "$reason" = "the machine has no role" ]; then finish; fi
	eventually "the role" find_role
fi
eventually "credentials" find_credentials
if [ -d "${marker%/*}" ]; then : >"$marker"; fi
eventually "the deployment" find_deployment
eventually "parameter /aloft/$deployment/env/variables, by role $role" find_variables
if [ ! -s "$work/packed" ]; then finish; fi
base64 -d <"$work/packed" 2>/dev/null | gunzip >"$work/json" 2>/dev/null || : >"$work/json"
if [ ! -s "$work/json" ] || ! json variables <"$work/json" >"$work/variables"; then
	fail "parameter /aloft/$deployment/env/variables is not one that Aloft wrote"
fi
json secrets <"$work/json" >"$work/secrets"
while read -r name value; do
	printf %s "$value" | base64 -d | quoted "$name"
done <"$work/variables" >>"$work/env"
while read -r name reference; do
	eventually "$name from $reference, by role $role" resolve "$reference"
	quoted "$name" <"$work/value" >>"$work/env"
done <"$work/secrets"
finish
