package ssm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/cloud/runcommand"
	"aloft.dev/aloft/internal/cloud/store"
)

// greets returns the content of a document that greets somebody.
func greets(greeting string) *string {
	return aws.String(`{"schemaVersion":"2.2","description":"Greets.","parameters":{
		"who":{"type":"String","default":"world","allowedPattern":"[a-z]+"}},
		"mainSteps":[{"action":"aws:runShellScript","name":"greet","inputs":{
			"runCommand":["echo ` + greeting + ` {{ who }}"],"workingDirectory":"/tmp","timeoutSeconds":"7"}}]}`)
}

func TestDocumentsOfOnesOwnRunAsCommands(t *testing.T) {
	api, ctx := newCommandAPI(t, 0)
	created, err := api.CreateDocument(ctx, &client.CreateDocumentInput{
		Name: aws.String("Greet"), Content: greets("hello"), DocumentType: types.DocumentTypeCommand,
		TargetType: aws.String("/AWS::EC2::Instance"),
		Tags:       []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := created.DocumentDescription
	if *d.DocumentVersion != "1" || *d.DefaultVersion != "1" || *d.Owner != "000000000000" || len(*d.Hash) != 64 ||
		*d.Parameters[0].DefaultValue != "world" || d.Status != types.DocumentStatusActive || *d.Tags[0].Value != "a" {
		t.Errorf("got %+v", d)
	}
	updated, err := api.UpdateDocument(ctx, &client.UpdateDocumentInput{
		Name: aws.String("Greet"), Content: greets("bye"), VersionName: aws.String("second"),
		DocumentVersion: aws.String("$LATEST"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := updated.DocumentDescription; *d.LatestVersion != "2" || *d.DefaultVersion != "1" {
		t.Errorf("got %+v", d)
	}
	payload := func(version *string, parameters map[string][]string) string {
		t.Helper()
		out, err := api.SendCommand(ctx, command(func(in *request) {
			in.DocumentName, in.DocumentVersion, in.Parameters = aws.String("Greet"), version, parameters
		}))
		if err != nil {
			t.Fatal(err)
		}
		var text string
		if err := api.Store.Update(func(tx *store.Tx) error {
			messages, err := runcommand.Take(tx, "us-east-1", managedID, api.Now(), time.Minute)
			for _, m := range messages {
				text = m.Payload
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		invocations, err := api.ListCommandInvocations(ctx, &client.ListCommandInvocationsInput{
			CommandId: out.Command.CommandId, Details: true,
		})
		if err != nil || *invocations.CommandInvocations[0].CommandPlugins[0].Name != "greet" {
			t.Errorf("got %+v, %v", invocations, err)
		}
		return text
	}
	for _, want := range []string{
		`"commands":["echo hello ada"]`, `"executionTimeout":"7"`, `"workingDirectory":"/tmp"`,
	} {
		if got := payload(nil, map[string][]string{"who": {"ada"}}); !strings.Contains(got, want) {
			t.Errorf("the message %s lacks %s", got, want)
		}
	}
	if got := payload(aws.String("$LATEST"), nil); !strings.Contains(got, `"commands":["echo bye world"]`) {
		t.Errorf("the latest version sends %s", got)
	}
	_, err = api.SendCommand(ctx, command(func(in *request) {
		in.DocumentName, in.Parameters = aws.String("Greet"), map[string][]string{"who": {"ada; rm"}}
	}))
	if err == nil || !strings.HasPrefix(err.Error(), "InvalidParameters") {
		t.Errorf("a value that the pattern does not admit: %v", err)
	}
}

func TestVersionsOfDocuments(t *testing.T) {
	api, ctx := newCommandAPI(t, 0)
	name := aws.String("Greet")
	create := func(name string) error {
		_, err := api.CreateDocument(ctx, &client.CreateDocumentInput{Name: &name, Content: greets("one")})
		return err
	}
	update := func(greeting string, version *string) error {
		_, err := api.UpdateDocument(ctx, &client.UpdateDocumentInput{
			Name: name, Content: greets(greeting), VersionName: version,
		})
		return err
	}
	remove := func(version *string) error {
		_, err := api.DeleteDocument(ctx, &client.DeleteDocumentInput{Name: name, DocumentVersion: version})
		return err
	}
	for i, step := range []struct {
		err  error
		want string
	}{
		{update("one", nil), "InvalidDocument:"},
		{create("Greet"), ""},
		{create("Greet"), "DocumentAlreadyExists"},
		{create("amazonGreet"), "ValidationException"},
		{create("g"), "ValidationException"},
		{update("one", nil), "DuplicateDocumentContent"},
		{update("two", aws.String("v")), ""},
		{update("three", aws.String("v")), "DuplicateDocumentVersionName"},
		{update("three", nil), ""},
		{remove(aws.String("1")), "InvalidDocumentOperation"},
		{remove(aws.String("4")), "InvalidDocumentVersion"},
		{remove(aws.String("2")), ""},
	} {
		if step.want == "" && step.err != nil || step.want != "" && (step.err == nil ||
			!strings.HasPrefix(step.err.Error(), step.want)) {
			t.Errorf("step %d: got %v, want %s", i, step.err, step.want)
		}
	}
	set, err := api.UpdateDocumentDefaultVersion(ctx, &client.UpdateDocumentDefaultVersionInput{
		Name: name, DocumentVersion: aws.String("3"),
	})
	if err != nil || *set.Description.DefaultVersion != "3" {
		t.Fatalf("got %+v, %v", set, err)
	}
	in := &client.ListDocumentVersionsInput{Name: name, MaxResults: aws.Int32(1)}
	var versions []string
	for {
		out, err := api.ListDocumentVersions(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range out.DocumentVersions {
			text := *v.DocumentVersion
			if v.IsDefaultVersion {
				text += " default"
			}
			versions = append(versions, text)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if got := strings.Join(versions, ", "); got != "3 default, 1" {
		t.Errorf("got versions %s", got)
	}
	got, err := api.GetDocument(ctx, &client.GetDocumentInput{Name: name})
	if err != nil || *got.DocumentVersion != "3" || *got.Content != *greets("three") {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := remove(nil); err != nil {
		t.Fatal(err)
	}
	_, err = api.GetDocument(ctx, &client.GetDocumentInput{Name: name})
	if err == nil || !strings.HasPrefix(err.Error(), "InvalidDocument:") {
		t.Errorf("a deleted document: %v", err)
	}
	for content, want := range map[string]string{
		"{": "InvalidDocumentContent", `{"schemaVersion":"1.0"}`: "UnsupportedOperation",
		strings.Repeat(" ", 64<<10+1): "MaxDocumentSizeExceeded",
	} {
		_, err := api.CreateDocument(ctx, &client.CreateDocumentInput{Name: name, Content: &content})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestDocumentsAreListedAndTagged(t *testing.T) {
	api, ctx := newCommandAPI(t, 0)
	for _, name := range []string{"Zeta", "Alpha"} {
		in := &client.CreateDocumentInput{Name: &name, Content: greets("x")}
		if _, err := api.CreateDocument(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := api.AddTagsToResource(ctx, &client.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingDocument, ResourceId: aws.String("Zeta"),
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	}); err != nil {
		t.Fatal(err)
	}
	list := func(filters ...string) string {
		t.Helper()
		in := &client.ListDocumentsInput{MaxResults: aws.Int32(2)}
		for i := 0; i < len(filters); i += 2 {
			in.Filters = append(in.Filters, types.DocumentKeyValuesFilter{
				Key: &filters[i], Values: []string{filters[i+1]},
			})
		}
		var names []string
		for {
			out, err := api.ListDocuments(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range out.DocumentIdentifiers {
				names = append(names, *d.Name)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return strings.Join(names, " ")
			}
		}
	}
	for _, test := range []struct{ got, want string }{
		{list(), "AWS-RunShellScript Alpha Zeta"}, {list("Owner", "Self"), "Alpha Zeta"},
		{list("Owner", "Amazon"), "AWS-RunShellScript"}, {list("Name", "Al"), "Alpha"}, {list("tag:team", "a"), "Zeta"},
		{list("PlatformTypes", "Windows"), ""}, {list("SearchKeyword", "ETA", "Owner", "000000000000"), "Zeta"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
	tags, err := api.ListTagsForResource(ctx, &client.ListTagsForResourceInput{
		ResourceType: types.ResourceTypeForTaggingDocument, ResourceId: aws.String("Zeta"),
	})
	if err != nil || len(tags.TagList) != 1 {
		t.Errorf("got %+v, %v", tags, err)
	}
}
