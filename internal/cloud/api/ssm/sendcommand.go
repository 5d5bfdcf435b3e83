package ssm

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"aloft.dev/aloft/internal/cloud/api/constraint"
	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// Limits of SendCommand (AWS Systems Manager API Reference, SendCommand).
const (
	maxComment       = 100
	minTimeout       = 30
	maxTimeout       = 2592000
	defaultTimeout   = 3600
	maxInstances     = 50
	maxParameterSize = 64 << 10 // of all parameters of a command, which its message carries
)

// pattern is what a text violates that does not have its form.
const pattern = "satisfy regular expression pattern: %s"

var (
	concurrencyForm = regexp.MustCompile(`^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$`)
	errorsForm      = regexp.MustCompile(`^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$`)
)

// SendCommand sends a command to instances. Their agents fetch it.
func (a *API) SendCommand(ctx context.Context, in *ssm.SendCommandInput) (*ssm.SendCommandOutput, error) {
	if err := checkMissing(in); err != nil {
		return nil, err
	}
	view, region, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	row, err := a.command(view, region, in)
	if err != nil {
		return nil, err
	}
	out := &ssm.SendCommandOutput{}
	return out, a.change(ctx, func(tx *store.Tx, region identity.Region) error {
		row.Region = region
		instances, err := recipients(tx, row)
		if err != nil {
			return err
		}
		var all []*store.CommandInvocation
		for _, instance := range instances {
			all = append(all, runcommand.New(row, instance))
			store.CommandInvocations.Put(tx, all[len(all)-1])
		}
		row.Done = len(all) == 0
		store.Commands.Put(tx, row)
		out.Command = describeCommand(row, all)
		return nil
	})
}

// checkMissing refuses what the local cloud's commands lack.
func checkMissing(in *ssm.SendCommandInput) error {
	logs := in.CloudWatchOutputConfig
	switch {
	case in.OutputS3BucketName != nil || in.OutputS3KeyPrefix != nil:
		return unsupported("the output of commands in S3: leave out OutputS3BucketName and OutputS3KeyPrefix")
	case logs != nil && (logs.CloudWatchOutputEnabled || logs.CloudWatchLogGroupName != nil):
		return unsupported("the output of commands in CloudWatch Logs: leave out CloudWatchOutputConfig")
	case in.NotificationConfig != nil || in.ServiceRoleArn != nil:
		return unsupported("notifications about commands: leave out NotificationConfig and ServiceRoleArn")
	case in.AlarmConfiguration != nil:
		return unsupported("alarms of commands: leave out AlarmConfiguration")
	case in.DocumentHash != nil || in.DocumentHashType != "":
		return unsupported("hashes of documents: leave out DocumentHash and DocumentHashType")
	case refersToParameters(in.Parameters):
		return unsupported("references to parameters, {{ssm:name}}, in commands")
	}
	return nil
}

// refersToParameters reports whether AWS would replace a part of a command's parameters.
func refersToParameters(parameters map[string][]string) bool {
	reference := regexp.MustCompile(`\{\{\s*ssm(-secure)?:`)
	for _, values := range parameters {
		if slices.ContainsFunc(values, reference.MatchString) {
			return true
		}
	}
	return false
}

// command returns the command that a request describes, without its region.
func (a *API) command(r store.Reader, region identity.Region, in *ssm.SendCommandInput) (*store.Command, error) {
	if in.DocumentName == nil {
		return nil, model.Null("documentName")
	}
	document, err := findDocument(r, region, *in.DocumentName, in.DocumentVersion, nil)
	if err != nil {
		return nil, err
	}
	if err := checkCommand(in); err != nil {
		return nil, err
	}
	script, problem := document.script(in.Parameters)
	if problem != "" {
		return nil, wire.Errorf("InvalidParameters", "%s", problem)
	}
	row := &store.Command{
		ID: a.random.UUID(), Document: document.name, Comment: aws.ToString(in.Comment),
		DocumentVersion: constraint.Default(in.DocumentVersion, "$DEFAULT"),
		Parameters:      in.Parameters, InstanceIDs: in.InstanceIds,
		Timeout:   time.Duration(constraint.Default(in.TimeoutSeconds, defaultTimeout)) * time.Second,
		Execution: script.Timeout,
		Script:    script.Lines, Directory: script.Directory, Step: document.step(),
		MaxConcurrency: constraint.Default(in.MaxConcurrency, runcommand.DefaultConcurrency),
		MaxErrors:      constraint.Default(in.MaxErrors, runcommand.DefaultErrors),
		Requested:      a.Now().UTC().Truncate(time.Millisecond),
	}
	for _, t := range in.Targets {
		row.Targets = append(row.Targets, store.CommandTarget{Key: aws.ToString(t.Key), Values: t.Values})
	}
	return row, nil
}

// checkCommand refuses a request that violates the API's model.
func checkCommand(in *ssm.SendCommandInput) error {
	if err := model.Between("timeoutSeconds", in.TimeoutSeconds, minTimeout, maxTimeout); err != nil {
		return err
	}
	size := 0
	for name, values := range in.Parameters {
		size += len(name) + len(strings.Join(values, ""))
	}
	switch {
	case len(aws.ToString(in.Comment)) > maxComment:
		return model.TooLong("comment", maxComment)
	case in.MaxConcurrency != nil && !concurrencyForm.MatchString(*in.MaxConcurrency):
		return model.Refuse("maxConcurrency", *in.MaxConcurrency, pattern, concurrencyForm)
	case in.MaxErrors != nil && !errorsForm.MatchString(*in.MaxErrors):
		return model.Refuse("maxErrors", *in.MaxErrors, pattern, errorsForm)
	case size > maxParameterSize:
		return wire.Errorf("InvalidParameters", "The parameters have more than %d bytes.", maxParameterSize)
	case len(in.InstanceIds) == 0 && len(in.Targets) == 0:
		return model.Errorf("Either InstanceIds or Targets must be specified.")
	case len(in.InstanceIds) > 0 && len(in.Targets) > 0:
		return model.Errorf("InstanceIds and Targets cannot be specified together.")
	}
	if err := checkInstances(in.InstanceIds); err != nil {
		return err
	}
	return checkTargets(in.Targets)
}
