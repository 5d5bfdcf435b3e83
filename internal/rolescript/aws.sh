# Functions that call AWS with the credentials of the machine's role, for programs that set
# $app, the application, $work, a folder, and $metadata, the URL of the instance metadata
# service, and that define json, of which "json get KEY" prints a text in the JSON on standard
# input. Each returns 0 on success, 1 if it may succeed later and 2 if it will not. $reason says
# why it failed.

# http makes a request whose secret options come from standard input, and sets $status. The
# body goes to a file.
http() {
	status=$(curl -sS --max-time 20 --noproxy "${NO_PROXY:-${no_proxy:-}},169.254.169.254" --config - \
		-o "$work/body" -w '%{http_code}' "$@" 2>"$work/problem") && return 0
	reason="$(cat "$work/problem")"
	return 1
}

# instance reads a document of the instance metadata service.
instance() {
	: >"$work/body"
	printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$session" >"$work/options"
	http "$metadata/latest/$1" <"$work/options" || return 1
	reason="the metadata service answers $status for $1"
	[ "$status" = 200 ]
}

find_role() {
	: >"$work/body"
	http -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$metadata/latest/api/token" </dev/null || return 1
	reason="the metadata service answers $status for a token"
	[ "$status" = 200 ] || return 1
	session=$(cat "$work/body")
	if instance meta-data/iam/security-credentials/; then
		role=$(head -n 1 "$work/body")
		reason="the machine has no role"
		[ -n "$role" ]
		return
	fi
	if [ "$status" = 404 ]; then reason="the machine has no role"; fi
	return 1
}

# find_deployment finds the name of the deployment, which is the application's unless the
# machine's user data says otherwise: an image is the same in all stages.
find_deployment() {
	deployment=$app
	if instance user-data; then
		named=$(sed -n 's/^: aloft-app \([a-z0-9-]*\)$/\1/p' "$work/body" | head -n 1)
		deployment=${named:-$app}
		return
	fi
	[ "$status" = 404 ]
}

find_credentials() {
	instance "meta-data/iam/security-credentials/$role" || return 1
	reason="the role $role has no credentials: $(json get Message <"$work/body" || echo unreadable)"
	key=$(json get AccessKeyId <"$work/body") || return 1
	secret=$(json get SecretAccessKey <"$work/body") || return 1
	token=$(json get Token <"$work/body") || return 1
	instance meta-data/placement/region || return 1
	region=$(cat "$work/body")
	domain=amazonaws.com
	case $region in cn-*) domain=amazonaws.com.cn ;; esac
}

# aws makes a request: aws SERVICE TARGET BODY. On success its answer is in the body.
aws() {
	endpoint=${AWS_ENDPOINT_URL:-https://$1.$region.$domain}
	endpoint=${endpoint%/}
	host=${endpoint#*://}
	: >"$work/body"
	printf 'user = "%s:%s"\nheader = "X-Amz-Security-Token: %s"\n' "$key" "$secret" "$token" >"$work/options"
	http --aws-sigv4 "aws:amz:$region:$1" -H "Host: ${host%%/*}" -H "X-Amz-Target: $2" \
		-H 'Content-Type: application/x-amz-json-1.1' --data "$3" "$endpoint/" <"$work/options" || return 1
	if [ "$status" = 200 ]; then return 0; fi
	type=$(json get __type <"$work/body" || echo "status $status")
	type=${type##*#}
	message=$(json get message <"$work/body" || json get Message <"$work/body" || true)
	reason="$type${message:+: $message}"
	case $type in
	ParameterNotFound | ParameterVersionNotFound | ResourceNotFoundException | InvalidRequestException | \
		InvalidParameterException | ValidationException | DecryptionFailure) return 2 ;;
	esac
	return 1
}
