package cloudwatchlogs

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of names and ARNs (CloudWatch Logs API Reference, CreateLogGroup, FilterLogEvents).
const (
	maxName       = 512
	maxIdentifier = 2048
)

const (
	groupPattern  = `[\.\-_/#A-Za-z0-9]+`
	streamPattern = `[^:*]*`
	// reserved begins no name of a group (CloudWatch Logs API Reference, CreateLogGroup).
	reserved = "aws/"
)

var (
	groupForm  = regexp.MustCompile(`^` + groupPattern + `$`)
	streamForm = regexp.MustCompile(`^` + streamPattern + `$`)
)

// checkText refuses a text that is missing, too long or not of a form.
func checkText(member string, text *string, form *regexp.Regexp, pattern string) error {
	switch {
	case text == nil:
		return model.Null(member)
	case *text == "":
		return model.Empty(member)
	case len(*text) > maxName:
		return model.TextTooLong(member, *text, maxName)
	case !form.MatchString(*text):
		return model.Refuse(member, *text, "satisfy regular expression pattern: %s", pattern)
	}
	return nil
}

func checkGroupName(name *string) error {
	if len(aws.ToString(name)) > maxName {
		return nameTooLong()
	}
	return checkText("logGroupName", name, groupForm, groupPattern)
}

func checkStreamName(name *string) error {
	if len(aws.ToString(name)) > maxName {
		return nameTooLong()
	}
	return checkText("logStreamName", name, streamForm, streamPattern)
}

func nameTooLong() error {
	return model.Errorf("Invalid LogGroup or LogStream, both must have length less than or equal to %d.", maxName)
}

// arnOf returns the ARN of a log group. In policies and in the older field of its
// description it has a suffix (Amazon CloudWatch Logs User Guide, "CloudWatch Logs resources
// and operations").
func arnOf(group *store.LogGroup) string {
	return identity.ARN("logs", group.Region, "log-group:"+group.Name)
}

func streamARN(stream *store.LogStream) string {
	return identity.ARN("logs", stream.Region, "log-group:"+stream.Group+":log-stream:"+stream.Name)
}

func findGroup(r store.Reader, region identity.Region, name string) (*store.LogGroup, error) {
	row, ok := store.LogGroups.Get(r, store.LogGroupKey(region, name))
	if !ok {
		return nil, noGroup()
	}
	return row, nil
}

func noGroup() error {
	return wire.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
}

func findStream(r store.Reader, region identity.Region, group, name string) (*store.LogStream, error) {
	if _, err := findGroup(r, region, group); err != nil {
		return nil, err
	}
	row, ok := store.LogStreams.Get(r, store.LogStreamKey(region, group, name))
	if !ok {
		return nil, noStream()
	}
	return row, nil
}

func noStream() error {
	return wire.Errorf("ResourceNotFoundException", "The specified log stream does not exist.")
}

// groupNamed returns the name of the group in a request that names it, or identifies it by
// name or ARN.
func groupNamed(region identity.Region, name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", wire.Errorf(
			"ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
		)
	case name != nil:
		return *name, checkGroupName(name)
	case identifier == nil:
		return "", model.Errorf("Either logGroupName or logGroupIdentifier must be specified.")
	case len(*identifier) > maxIdentifier:
		return "", model.TooLong("logGroupIdentifier", maxIdentifier)
	}
	text := *identifier
	if strings.HasPrefix(text, "arn:") {
		return groupOfARN(region, text)
	}
	return text, checkText("logGroupIdentifier", identifier, groupForm, groupPattern)
}

// groupOfARN returns the name in a group's ARN. Groups of other accounts and regions do not
// exist.
func groupOfARN(region identity.Region, arn string) (string, error) {
	name, ok := strings.CutPrefix(strings.TrimSuffix(arn, ":*"), identity.ARN("logs", region, "log-group:"))
	if !ok || !groupForm.MatchString(name) {
		return "", noGroup()
	}
	return name, nil
}
