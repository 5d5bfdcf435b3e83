#!/bin/sh
# Runs, as root, the commands that Systems Manager Run Command has for this machine. It speaks
# the protocol of AWS's agent, with the credentials of the machine's role, and does nothing
# without a role that allows it.
#
#   agent.sh               fetches commands until it is stopped
#   agent.sh run COMMAND   runs one command, which has been fetched, and reports how it ended
#
# Each command has a folder on the disk from before it is acknowledged until its end has been
# reported, so that a restart neither loses one nor runs one twice. Files in it:
#
#   message    what has been fetched
#   accepted   the service knows that it is here
#   started    the command has started
#   reply      the report of its end
set -u
umask 077
state=${STATE_DIRECTORY:-/var/lib/aloft-agent}
work=${RUNTIME_DIRECTORY:-/run/aloft-agent}
metadata=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}
metadata=${metadata%/}
pace=${ALOFT_PACE:-1} # seconds of the shortest pause
longest=60            # paces of the longest pause
renewal=300           # seconds between reports, and after which credentials are read again
version=3.3.0.0       # of AWS's agent, whose protocol this is
messages=EC2WindowsMessageDeliveryService

json() {
	shift
	jq -j 'getpath($ARGS.positional) |
		if type == "string" then . elif type == "number" then tojson else error("none") end' --args "$@" 2>/dev/null
}

. "${0%/*}/aws.sh"

new_id() { cat /proc/sys/kernel/random/uuid; }

timestamp() { date -u +%Y-%m-%dT%H:%M:%S.%3NZ; }

# say tells the journal a reason once.
said=
reason=
say() {
	[ "$1" = "$said" ] || echo "$1" >&2
	said=$1
}

# identify finds the credentials of the role and the instance's own id.
identify() {
	find_role && find_credentials && instance meta-data/instance-id || return 1
	server=$(cat "$work/body")
	home=$state/$server
}

# report_machine reports to Systems Manager that this machine is managed.
report_machine() {
	instance meta-data/local-ipv4 || return 1
	address=$(cat "$work/body")
	body=$(
		. /etc/os-release
		jq -cn --arg id "$server" --arg version "$version" --arg name "${NAME:-Linux}" --arg release "${VERSION_ID:-}" \
			--arg computer "$(uname -n)" --arg address "$address" '{InstanceId: $id, AgentName: "amazon-ssm-agent",
			AgentVersion: $version, AgentStatus: "Active", PlatformType: "Linux", PlatformName: $name,
			PlatformVersion: $release, ComputerName: $computer, IPAddress: $address,
			SSMConnectionChannel: "ec2messages"}'
	) || return 1
	aws ssm AmazonSSM.UpdateInstanceInformation "$body"
}

# acknowledge tells the service that a message is here. It returns 2 if it must be forgotten.
acknowledge() { aws ec2messages $messages.AcknowledgeMessage "{\"MessageId\":\"$1\"}"; }

# send sends a reply about a message: send MESSAGE PAYLOAD-FILE.
send() {
	jq -cn --arg message "$1" --arg id "$(new_id)" --rawfile payload "$2" \
		'{MessageId: $message, ReplyId: $id, Payload: $payload}' >"$work/reply" &&
		aws ec2messages $messages.SendReply "@$work/reply"
}

# poll waits for messages and takes them on.
poll() {
	aws ec2messages $messages.GetMessages "{\"Destination\":\"$server\",\"MessagesRequestId\":\"$(new_id)\",\
\"VisibilityTimeoutInSeconds\":10}" || return 1
	grep -q '"MessageId"' "$work/body" || return 0
	jq -c '.Messages[]' <"$work/body" >"$work/messages" || return 1
	while IFS= read -r line; do
		printf '%s' "$line" >"$work/message"
		receive || return 1
	done <"$work/messages"
}

receive() {
	id=$(json get MessageId <"$work/message") || return 0
	command=$(command_of "$id")
	topic=$(json get Topic <"$work/message")
	code=0
	case ${command:+$topic} in
	aws.ssm.sendCommand.*) take "$command" || code=$? ;;
	aws.ssm.cancelCommand.*) cancel || code=$? ;;
	*) aws ec2messages $messages.FailMessage \
		"{\"MessageId\":\"$id\",\"FailureType\":\"InternalHandlerException\"}" || code=$? ;;
	esac
	[ $code != 1 ]
}

# command_of prints the id of the command that a message is about, nothing if it has none.
command_of() {
	inner=${1#aws.ssm.}
	inner=${inner%%.*}
	case $inner in
	*[!0-9a-f-]*) ;;
	*) echo "$inner" ;;
	esac
}

# take takes a command on. If the service does not want it to run any more, it is forgotten.
take() {
	folder=$home/$1
	if [ ! -d "$folder" ]; then
		rm -rf "$folder.new"
		mkdir -p "$folder.new" && cp "$work/message" "$folder.new/message" && sync "$folder.new/message" &&
			mv "$folder.new" "$folder" && sync "$home" || return 1
	fi
	accept "$1"
}

# accept acknowledges a command that is on the disk, and starts it.
accept() {
	folder=$home/$1
	code=0
	acknowledge "$(json get MessageId <"$folder/message")" || code=$?
	case $code in
	0)
		: >"$folder/accepted"
		start "$1"
		;;
	2) rm -rf "$folder" ;;
	*) return 1 ;;
	esac
}

# start runs a command beside this program, unless it runs already.
start() { sh "$0" run "$1" </dev/null & }

# cancel ends the command that a message cancels.
cancel() {
	cancelled=$(command_of "$(jq -r '.Payload | fromjson | .CancelMessageId' <"$work/message")")
	if [ -n "$cancelled" ] && [ -d "$home/$cancelled" ]; then
		mkdir -p "$work/$cancelled"
		: >"$work/$cancelled/cancelled"
		kill_command "$work/$cancelled"
	fi
	acknowledge "$id"
}

# kill_command ends all processes of a command that it has not moved elsewhere.
kill_command() {
	if [ -s "$1/pid" ]; then
		pid=$(cat "$1/pid")
		kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
	fi
}

# resume continues with the commands of an earlier run, and forgets those of the machine that
# an image was made of.
resume() {
	for folder in "$state"/*; do
		case $folder in
		"$home" | "$state/*") ;;
		*) rm -rf "$folder" ;;
		esac
	done
	for folder in "$home"/*; do
		case $folder in
		*.new) rm -rf "$folder" ;;
		"$home/*") ;;
		*) if [ -e "$folder/accepted" ]; then start "${folder##*/}"; else accept "${folder##*/}"; fi ;;
		esac
	done
}

# fetch takes commands on until it is stopped.
fetch() {
	mkdir -p "$state" "$work"
	renewed=0
	resumed=
	pause=1
	while :; do
		now=$(date +%s)
		if [ $((now - renewed)) -ge $renewal ] || [ "$now" -lt "$renewed" ]; then
			if identify && report_machine; then renewed=$now; else renewed=0; fi
		fi
		if [ "$renewed" != 0 ] && [ -z "$resumed" ]; then resume && resumed=1; fi
		if [ "$renewed" != 0 ] && poll; then
			said=
			pause=1
			if [ $(($(date +%s) - now)) -eq 0 ]; then sleep "$pace"; fi # the service does not make it wait
			continue
		fi
		say "Systems Manager has no commands for this machine: $reason"
		renewed=0
		resumed= # the answer to an acknowledgement may be lost
		sleep $((pause * pace))
		pause=$((pause * 2 < longest ? pause * 2 : longest))
	done
}

# run runs one command and reports its end.
run() {
	command=$1
	for folder in "$state"/*/"$command"; do break; done
	common=$work
	work=$work/$command
	mkdir -p "$work"
	exec 9>"$common/$command.lock"
	flock -n 9 || exit 0
	if [ -d "$folder" ]; then
		id=$(json get MessageId <"$folder/message")
		[ -e "$folder/reply" ] || execute
		deliver
		rm -rf "$folder"
	fi
	rm -rf "$work" "$common/$command.lock"
}

# execute runs a command and writes the report.
execute() {
	from=$(timestamp)
	: >>"$folder/stdout"
	: >>"$folder/stderr"
	if [ -e "$folder/started" ]; then
		echo "failed to run commands: the machine or its agent stopped meanwhile" >>"$folder/stderr"
		report Failed -1
		return
	fi
	# Exactly the given lines, as AWS's agent writes them.
	parameters='.Payload | fromjson | .Parameters'
	jq -r "$parameters | .commands | if type == \"array\" then .[] else . end" <"$folder/message" >"$folder/script.sh"
	directory=$(jq -r "$parameters | .workingDirectory // \"\"" <"$folder/message")
	topic=$(json get Topic <"$folder/message") # aws.ssm.sendCommand.REGION.INSTANCE
	limit=$(jq -r "$parameters | .executionTimeout // \"3600\"" <"$folder/message")
	: >"$folder/started"
	sync "$folder"
	code=0
	if [ ! -e "$work/cancelled" ]; then
		spawn
		wait "$child" || code=$?
		kill "$watcher" 2>/dev/null
		rm -f "$work/pid"
	fi
	if [ -e "$work/cancelled" ]; then
		report Cancelled 137
	elif [ -e "$work/expired" ]; then
		report TimedOut 137
	elif [ $code = 0 ]; then
		report Success 0
	elif [ $code = 194 ]; then # the command asks for a restart, after which it runs again
		rm "$folder/started"
		sync "$folder"
		systemctl reboot
		exit
	else
		[ -z "$(tail -c 1 "$folder/stderr")" ] || echo >>"$folder/stderr"
		echo "failed to run commands: exit status $code" >>"$folder/stderr"
		report Failed $code
	fi
}

# spawn starts a command in a session of its own, and what ends it after its time.
spawn() {
	(
		unset STATE_DIRECTORY RUNTIME_DIRECTORY INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID
		region=${topic%.*}
		export AWS_SSM_INSTANCE_ID="${topic##*.}" AWS_SSM_REGION_NAME="${region##*.}"
		umask 022
		exec setsid sh -c '[ -z "$1" ] || cd "$1" || exit 1; exec sh "$2"' sh "$directory" "$folder/script.sh"
	) >"$folder/stdout" 2>"$folder/stderr" </dev/null 9>&- &
	child=$!
	echo "$child" >"$work/pid"
	if [ -e "$work/cancelled" ]; then kill_command "$work"; fi
	(
		trap 'kill "$sleeper" 2>/dev/null; exit' TERM
		sleep "$limit" &
		sleeper=$!
		wait "$sleeper"
		: >"$work/expired"
		kill_command "$work"
	) 9>&- &
	watcher=$!
}

# report writes the report of a command's end: report STATUS CODE.
report() {
	head -c 24000 "$folder/stdout" >"$work/stdout"
	head -c 8000 "$folder/stderr" >"$work/stderr"
	jq -cjn --arg status "$1" --argjson code "$2" --arg from "$from" --arg to "$(timestamp)" --arg version "$version" \
		--rawfile out "$work/stdout" --rawfile err "$work/stderr" '
		def short: if length > 2500 then .[:2477] + "\n---Output truncated---" else . end;
		{additionalInfo: {agent: {lang: "en-US", name: "amazon-ssm-agent", os: "", osver: "1", ver: $version},
			dateTime: $to, runId: "", runtimeStatusCounts: {($status): 1}},
		documentStatus: $status, documentTraceOutput: "",
		runtimeStatus: {"aws:runShellScript": {status: $status, code: $code, name: "aws:runShellScript",
			output: ($out + (if $err == "" then "" else "\n----------ERROR-------\n" + $err end) | short),
			startDateTime: $from, endDateTime: $to, outputS3BucketName: "", outputS3KeyPrefix: "", stepName: "",
			standardOutput: $out, standardError: $err}}}' >"$folder/reply.new" &&
		mv "$folder/reply.new" "$folder/reply" && sync "$folder"
}

# deliver sends the report of a command's end, for two hours at most, as AWS's agent does.
deliver() {
	pause=1
	until=$(($(date +%s) + 7200))
	while [ "$(date +%s)" -lt $until ]; do
		code=0
		identify && send "$id" "$folder/reply" || code=$?
		[ $code = 1 ] || return 0
		sleep $((pause * pace))
		pause=$((pause < 16 ? pause * 2 : 30))
	done
}

case ${1:-} in
run) run "$2" ;;
*)
	for program in curl flock jq setsid; do
		if ! command -v $program >/dev/null; then
			echo "This image cannot run commands of Systems Manager: it has no $program." >&2
			exit 0
		fi
	done
	fetch
	;;
esac
