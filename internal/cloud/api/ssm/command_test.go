package ssm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/api/ssm"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
	"aloft.dev/aloft/internal/cloud/wire/wiretest"
)

const managedID = "i-0123456789abcdef0"

type request = client.SendCommandInput

// newCommandAPI returns an API with instances whose agents have reported: managedID and more.
// Each command is a minute later than the one before.
func newCommandAPI(t *testing.T, more int) (*ssm.API, context.Context) {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	api := ssm.New(ssm.Config{Store: s, Key: seal.NewRandomKey(), Now: func() time.Time {
		now = now.Add(time.Minute)
		return now
	}})
	if err := s.Update(func(tx *store.Tx) error {
		for n := range more + 1 {
			id := managedID
			if n > 0 {
				id = fmt.Sprintf("i-%017x", n)
			}
			store.Instances.Put(tx, &store.Instance{
				ID: id, Region: "us-east-1", State: store.Running, Tags: store.Tags{"Name": "web"},
			})
			store.ManagedInstances.Put(tx, &store.ManagedInstance{
				ID: id, Region: "us-east-1", PlatformType: "Linux", AgentVersion: "3.3.0.0",
				LastPing: now.Add(time.Hour),
			})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return api, wire.WithCaller(t.Context(), wire.Caller{Region: "us-east-1"})
}

func command(change func(in *request)) *request {
	in := &request{
		DocumentName: aws.String("AWS-RunShellScript"), InstanceIds: []string{managedID},
		Parameters: map[string][]string{"commands": {"true"}},
	}
	if change != nil {
		change(in)
	}
	return in
}

func TestSendCommandRefusesWhatAWSRefusesAndWhatIsMissing(t *testing.T) {
	api, ctx := newCommandAPI(t, 0)
	target := func(key string, values ...string) []types.Target { return []types.Target{{Key: &key, Values: values}} }
	for name, c := range map[string]struct {
		want   string
		change func(in *request)
	}{
		"no document": {"ValidationException", func(in *request) { in.DocumentName = nil }},
		"other document": {"InvalidDocument", func(in *request) {
			in.DocumentName = aws.String("AWS-RunPatchBaseline")
		}},
		"other version": {"InvalidDocumentVersion", func(in *request) {
			in.DocumentVersion = aws.String("2")
		}},
		"no commands": {"InvalidParameters", func(in *request) { in.Parameters = nil }},
		"other parameter": {"InvalidParameters", func(in *request) {
			in.Parameters["user"] = []string{"x"}
		}},
		"timeout of 0": {"InvalidParameters", func(in *request) {
			in.Parameters["executionTimeout"] = []string{"0"}
		}},
		"two directories": {"InvalidParameters", func(in *request) {
			in.Parameters["workingDirectory"] = []string{"/", "/tmp"}
		}},
		"large": {"InvalidParameters", func(in *request) {
			in.Parameters["commands"] = []string{strings.Repeat("x", 65<<10)}
		}},
		"no instance": {"ValidationException", func(in *request) { in.InstanceIds = nil }},
		"both": {"ValidationException", func(in *request) {
			in.Targets = target("tag:a", "b")
		}},
		"malformed id": {"ValidationException", func(in *request) {
			in.InstanceIds = []string{"x"}
		}},
		"unknown instance": {"InvalidInstanceId", func(in *request) {
			in.InstanceIds = []string{"i-00000000000000009"}
		}},
		"same instance": {"DuplicateInstanceId", func(in *request) {
			in.InstanceIds = []string{managedID, managedID}
		}},
		"short timeout": {"ValidationException", func(in *request) {
			in.TimeoutSeconds = aws.Int32(29)
		}},
		"long comment": {"ValidationException", func(in *request) {
			in.Comment = aws.String(strings.Repeat("x", 101))
		}},
		"concurrency of 0": {"ValidationException", func(in *request) {
			in.MaxConcurrency = aws.String("0")
		}},
		"errors of 101%": {"ValidationException", func(in *request) {
			in.MaxErrors = aws.String("101%")
		}},
		"resource group": {"UnsupportedOperation", func(in *request) {
			in.InstanceIds, in.Targets = nil, target("resource-groups:Name", "x")
		}},
		"unknown target": {"InvalidTarget", func(in *request) {
			in.InstanceIds, in.Targets = nil, target("Name", "x")
		}},
		"empty target": {"InvalidTarget", func(in *request) {
			in.InstanceIds, in.Targets = nil, target("tag:a")
		}},
		"S3": {"UnsupportedOperation", func(in *request) {
			in.OutputS3BucketName = aws.String("b")
		}},
		"notification": {"UnsupportedOperation", func(in *request) {
			in.ServiceRoleArn = aws.String("arn:r")
		}},
		"alarm": {"UnsupportedOperation", func(in *request) {
			in.AlarmConfiguration = &types.AlarmConfiguration{}
		}},
		"hash": {"UnsupportedOperation", func(in *request) {
			in.DocumentHash = aws.String("x")
		}},
		"logs": {"UnsupportedOperation", func(in *request) {
			in.CloudWatchOutputConfig = &types.CloudWatchOutputConfig{CloudWatchOutputEnabled: true}
		}},
		"reference": {"UnsupportedOperation", func(in *request) {
			in.Parameters["commands"] = []string{"echo {{ ssm:/a }}"}
		}},
	} {
		if _, err := api.SendCommand(ctx, command(c.change)); code(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	for _, accepted := range []func(in *request){
		nil,
		func(in *request) { in.DocumentVersion = aws.String("$LATEST") },
		func(in *request) {
			in.DocumentName = aws.String("arn:aws:ssm:us-east-1::document/AWS-RunShellScript")
		},
		func(in *request) { in.Parameters["executionTimeout"] = []string{"172800"} },
		func(in *request) {
			in.MaxErrors, in.MaxConcurrency = aws.String("10%"), aws.String("100%")
		},
	} {
		if _, err := api.SendCommand(ctx, command(accepted)); err != nil {
			t.Error(err)
		}
	}
}

func TestListsOfCommandsAreFilteredAndPaged(t *testing.T) {
	api, ctx := newCommandAPI(t, 1)
	other := "i-00000000000000001"
	var ids []string
	for n := range 5 {
		out, err := api.SendCommand(ctx, command(func(in *request) {
			if n%2 == 1 {
				in.InstanceIds = append(in.InstanceIds, other)
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		ids = append([]string{*out.Command.CommandId}, ids...) // the newest first
	}
	if _, err := api.CancelCommand(ctx, &client.CancelCommandInput{CommandId: &ids[0]}); err != nil {
		t.Fatal(err)
	}
	commands := func(in client.ListCommandsInput) (found []string) {
		in.MaxResults = aws.Int32(2)
		for {
			out, err := api.ListCommands(ctx, &in)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range out.Commands {
				found = append(found, *c.CommandId)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return found
			}
		}
	}
	invocations := func(in client.ListCommandInvocationsInput) (found []string) {
		in.MaxResults = aws.Int32(3)
		for {
			out, err := api.ListCommandInvocations(ctx, &in)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range out.CommandInvocations {
				found = append(found, *c.CommandId+" "+*c.InstanceId)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return found
			}
		}
	}
	filter := func(key types.CommandFilterKey, value string) []types.CommandFilter {
		return []types.CommandFilter{{Key: key, Value: &value}}
	}
	for name, c := range map[string]struct {
		in   client.ListCommandsInput
		want []string
	}{
		"all":       {client.ListCommandsInput{}, ids},
		"one":       {client.ListCommandsInput{CommandId: &ids[2]}, ids[2:3]},
		"instance":  {client.ListCommandsInput{InstanceId: &other}, []string{ids[1], ids[3]}},
		"cancelled": {client.ListCommandsInput{Filters: filter("Status", "Cancelled")}, ids[:1]},
		"executing": {client.ListCommandsInput{Filters: filter("ExecutionStage", "Executing")}, ids},
		"after":     {client.ListCommandsInput{Filters: filter("InvokedAfter", "2026-11-23T12:04:00Z")}, ids[:2]},
		"before":    {client.ListCommandsInput{Filters: filter("InvokedBefore", "2026-11-23T12:04:00Z")}, ids[2:]},
		"document":  {client.ListCommandsInput{Filters: filter("DocumentName", "other")}, nil},
	} {
		if got := commands(c.in); strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if got := invocations(client.ListCommandInvocationsInput{}); len(got) != 7 || got[0] != ids[0]+" "+managedID {
		t.Errorf("got %v", got)
	}
	one := client.ListCommandInvocationsInput{CommandId: &ids[1], InstanceId: &other}
	if got := invocations(one); len(got) != 1 || got[0] != ids[1]+" "+other {
		t.Errorf("got %v", got)
	}
	for want, in := range map[string]client.ListCommandInvocationsInput{
		"InvalidCommandId":    {CommandId: aws.String(strings.Repeat("x", 36))},
		"InvalidFilterKey":    {Filters: filter("ExecutionStage", "Complete")},
		"InvalidNextToken":    {NextToken: aws.String("forged")},
		"ValidationException": {CommandId: aws.String("x")},
	} {
		if _, err := api.ListCommandInvocations(ctx, &in); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	get := func(change func(in *client.GetCommandInvocationInput)) error {
		in := &client.GetCommandInvocationInput{CommandId: &ids[0], InstanceId: aws.String(managedID)}
		change(in)
		_, err := api.GetCommandInvocation(ctx, in)
		return err
	}
	for want, change := range map[string]func(in *client.GetCommandInvocationInput){
		"InvocationDoesNotExist": func(in *client.GetCommandInvocationInput) {
			in.InstanceId = &other
		},
		"InvalidPluginName":   func(in *client.GetCommandInvocationInput) { in.PluginName = aws.String("other") },
		"ValidationException": func(in *client.GetCommandInvocationInput) { in.InstanceId = nil },
	} {
		if err := get(change); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := api.CancelCommand(ctx, &client.CancelCommandInput{
		CommandId: &ids[0], InstanceIds: []string{other},
	})
	if code(err) != "InvalidInstanceId" {
		t.Errorf("got %v", err)
	}
}

func TestInformationAboutInstancesIsFilteredAndPaged(t *testing.T) {
	api, ctx := newCommandAPI(t, 11)
	filter := func(key string, values ...string) []types.InstanceInformationStringFilter {
		return []types.InstanceInformationStringFilter{{Key: &key, Values: values}}
	}
	for name, c := range map[string]struct {
		filters []types.InstanceInformationStringFilter
		want    int
	}{
		"all": {nil, 12}, "id": {filter("InstanceIds", managedID), 1}, "tag": {filter("tag:Name", "web"), 12},
		"no tag": {filter("tag:Name", "x"), 0}, "key": {filter("tag-key", "Name"), 12},
		"platform": {filter("PlatformTypes", "Windows"), 0}, "kind": {filter("ResourceType", "EC2Instance"), 12},
		"unmanaged": {filter("InstanceIds", "i-00000000000000099"), 0},
	} {
		in, found, pages := &client.DescribeInstanceInformationInput{Filters: c.filters}, 0, 0
		for {
			out, err := api.DescribeInstanceInformation(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			found, pages = found+len(out.InstanceInformationList), pages+1
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		if found != c.want || pages != max((c.want+9)/10, 1) {
			t.Errorf("%s: got %d in %d pages, want %d", name, found, pages, c.want)
		}
	}
	for want, in := range map[string]client.DescribeInstanceInformationInput{
		"InvalidFilterKey":                      {Filters: filter("Name", "x")},
		"InvalidInstanceInformationFilterValue": {Filters: filter("InstanceIds", "x")},
		"InvalidNextToken":                      {NextToken: aws.String("forged")},
		"ValidationException":                   {MaxResults: aws.Int32(4)},
	} {
		if _, err := api.DescribeInstanceInformation(ctx, &in); code(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestTheSDKSendsACommandAndReadsItsDocument(t *testing.T) {
	api, ctx := newCommandAPI(t, 0)
	c := client.NewFromConfig(wiretest.Serve(t, "us-east-1", wire.Service{Name: "ssm", API: api}))
	sent, err := c.SendCommand(ctx, command(func(in *request) { in.Comment = aws.String("a comment") }))
	if err != nil || *sent.Command.Comment != "a comment" || sent.Command.Status != types.CommandStatusPending {
		t.Fatalf("got %+v, %v", sent, err)
	}
	listed, err := c.ListCommandInvocations(ctx, &client.ListCommandInvocationsInput{Details: true})
	if err != nil || len(listed.CommandInvocations) != 1 ||
		listed.CommandInvocations[0].CommandPlugins[0].ResponseCode != -1 {
		t.Errorf("got %+v, %v", listed, err)
	}
	described, err := c.DescribeDocument(ctx, &client.DescribeDocumentInput{Name: aws.String("AWS-RunShellScript")})
	if err != nil || len(described.Document.Parameters) != 3 {
		t.Errorf("got %+v, %v", described, err)
	}
	got, err := c.GetDocument(ctx, &client.GetDocumentInput{Name: aws.String("AWS-RunShellScript")})
	if err != nil || !strings.Contains(*got.Content, `"runCommand": "{{ commands }}"`) {
		t.Errorf("got %+v, %v", got, err)
	}
	for owner, want := range map[string]int{"Amazon": 1, "Self": 0} {
		list, err := c.ListDocuments(ctx, &client.ListDocumentsInput{Filters: []types.DocumentKeyValuesFilter{
			{Key: aws.String("Owner"), Values: []string{owner}}, {Key: aws.String("Name"), Values: []string{"AWS-Run"}},
		}})
		if err != nil || len(list.DocumentIdentifiers) != want {
			t.Errorf("%s: got %+v, %v", owner, list, err)
		}
	}
}
