#!/bin/sh
# Ships the journal of an application's processes to CloudWatch Logs. It is installed as
# /usr/local/lib/aloft/logs and runs as root: ship-logs.sh APP
#
# The journal is the buffer: while CloudWatch Logs does not answer, nothing is read from it.
# A cursor on disk says what has been shipped. It moves after CloudWatch Logs has accepted
# the lines, so a line may arrive twice and is never left out, unless CloudWatch Logs refuses
# it or the journal has dropped it. Each process has a stream, INSTANCE/PROCESS.
set -eu
umask 077
app=$1
state=${STATE_DIRECTORY:-/var/lib/aloft-$app-logs}
work=${RUNTIME_DIRECTORY:-/run/aloft-$app-logs}
metadata=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}
metadata=${metadata%/}
pause=${ALOFT_PAUSE:-2} # seconds between two looks into the journal
# What is read at once, in lines and in bytes of JSON. It bounds the memory of jq.
most_lines=1000
most_bytes=1000000
renewal=300 # seconds after which credentials are read again

json() {
	shift
	jq -j 'getpath($ARGS.positional) |
		if type == "string" then . elif type == "number" then tojson else error("none") end' --args "$@" 2>/dev/null
}

. "${0%/*}/aws.sh"

# say reports a reason once.
said=
say() {
	[ "$1" = "$said" ] || echo "aloft: $1" >&2
	said=$1
}

stopping=
trap 'stopping=1' TERM INT

# rest waits for some seconds, or until the service stops.
rest() {
	left=$1
	while [ -z "$stopping" ] && [ "$left" -gt 0 ]; do
		sleep 1
		left=$((left - 1))
	done
}

renewed=0
identify() {
	now=$(date +%s)
	if [ $((now - renewed)) -lt $renewal ] && [ "$now" -ge "$renewed" ]; then return 0; fi
	find_role || return 1
	find_credentials || return 1
	find_deployment || return 1
	group=/aloft/$deployment
	instance meta-data/instance-id || return 1
	server=$(cat "$work/body")
	# The image of a release contains the cursor of the machine that it was made on.
	cursor=$state/$server.cursor
	renewed=$now
}

# journal prints entries after the cursor as lines of JSON.
journal() {
	from=$(cat "$cursor" 2>/dev/null || true)
	journalctl -q --no-pager --all -o json --output-fields="$1" -u "aloft-$app.service" -u "aloft-$app-*.service" \
		${from:+--after-cursor="$from"} 2>"$work/problem" || true
}

# A batch is the cursor of its last entry and, for each process with lines, the name of its
# stream and the body of a request. Batches are smaller than CloudWatch Logs demands: in all
# they have fewer bytes, and events are less than 24 hours apart.
batcher='
def utf8: reduce .[] as $b ({out: [], more: 0, code: 0};
	if .more > 0 and $b >= 128 and $b < 192 then
		.code = .code * 64 + $b - 128 | .more -= 1
		| if .more > 0 then .
			elif .code > 1114111 or (.code >= 55296 and .code < 57344) then .out += [65533]
			else .out += [.code] end
	elif $b < 128 then .more = 0 | .out += [$b]
	elif $b >= 240 then .more = 3 | .code = $b - 240
	elif $b >= 224 then .more = 2 | .code = $b - 224
	elif $b >= 192 then .more = 1 | .code = $b - 192
	else .more = 0 | .out += [65533] end) | .out | implode;
def text: if type == "string" then . elif type == "array" then (if all(type == "number") then utf8 else (.[-1] | text) end)
	else "" end | if . == "" then " " else .[:200000] end;
def process: (._SYSTEMD_UNIT // "") as $unit
	| (if $unit | startswith("aloft-" + $app) then $unit else (.UNIT // "") end)
	| ltrimstr("aloft-" + $app) | rtrimstr(".service") | ltrimstr("-") | if . == "" then "web" else . end;
[foreach (inputs | fromjson? | select(.__CURSOR)) as $entry ({size: 0, done: false};
	($entry.__REALTIME_TIMESTAMP | tonumber / 1000 | floor) as $time
	| ($entry.MESSAGE | text) as $message
	| .first //= $time
	| .size += ($message | utf8bytelength) + 26
	| .done = (.done or .size > 900000 or ($time - .first) > 72000000 or (.first - $time) > 72000000)
	| .event = {process: ($entry | process), time: $time, message: $message, cursor: $entry.__CURSOR};
	select(.done | not) | .event)]
| if length == 0 then empty else
	.[-1].cursor,
	(map(select(.process != "logs")) | group_by(.process)[]
		| ($server + "/" + .[0].process) as $stream
		| $stream, ({logGroupName: $group, logStreamName: $stream,
			logEvents: (sort_by(.time) | map({timestamp: .time, message: .message}))} | tojson))
end'

# put sends the request in $work/request to a stream, which it creates if necessary.
put() {
	aws logs Logs_20140328.PutLogEvents "@$work/request" && return 0
	[ "${type:-}" = ResourceNotFoundException ] || return 1
	aws logs Logs_20140328.CreateLogStream "{\"logGroupName\":\"$group\",\"logStreamName\":\"$1\"}" ||
		[ "$type" = ResourceAlreadyExistsException ] || return 1
	aws logs Logs_20140328.PutLogEvents "@$work/request"
}

# round ships one batch. It returns 0 if there may be more, 1 after a failure and 2 if there
# is nothing to ship.
round() {
	type=
	identify || return 1
	journal MESSAGE,_SYSTEMD_UNIT,UNIT | head -n $most_lines | head -c $most_bytes >"$work/entries"
	[ -s "$work/entries" ] || return 2
	reason="jq cannot read the journal"
	jq -nrR --arg app "$app" --arg group "$group" --arg server "$server" "$batcher" <"$work/entries" >"$work/batch" ||
		return 1
	if [ ! -s "$work/batch" ]; then # the first entry is not whole
		echo "aloft: a line of more than $most_bytes bytes is left out" >&2
		journal _SYSTEMD_UNIT | head -n 1 | jq -r .__CURSOR >"$work/batch"
	fi
	line=2
	total=$(wc -l <"$work/batch")
	while [ "$line" -lt "$total" ]; do
		stream=$(sed -n "${line}p" "$work/batch")
		sed -n "$((line + 1))p" "$work/batch" >"$work/request"
		if ! put "$stream"; then
			[ "${type:-}" = InvalidParameterException ] || return 1
			echo "aloft: CloudWatch Logs refuses lines of $stream, which are left out: $reason" >&2
		fi
		line=$((line + 2))
	done
	head -n 1 "$work/batch" >"$cursor.new"
	mv "$cursor.new" "$cursor"
}

mkdir -p "$state" "$work"
wait=$pause
while :; do
	code=0
	round || code=$?
	case $code in
	0)
		said=
		wait=$pause
		;;
	1)
		say "lines stay in the journal for now: $reason"
		renewed=0
		wait=$((wait < 16 ? wait * 2 : 30))
		;;
	2) wait=$pause ;;
	esac
	if [ -n "$stopping" ] && [ $code != 0 ]; then exit 0; fi
	[ $code = 0 ] || rest "$wait"
done
