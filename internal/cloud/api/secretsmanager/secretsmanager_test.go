package secretsmanager_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"aloft.dev/aloft/internal/cloud/api/secretsmanager"
	"aloft.dev/aloft/internal/cloud/seal"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// world is an API with a clock that tests move.
type world struct {
	*testing.T
	*secretsmanager.API
	ctx context.Context
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	w.API = secretsmanager.New(secretsmanager.Config{
		Store: s, Key: seal.NewRandomKey(), Now: func() time.Time { return w.now },
	})
	w.ctx = wire.WithCaller(t.Context(), wire.Caller{Region: "us-east-1"})
	return w
}

// token returns the n-th client request token.
func token(n int) *string { return aws.String(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)) }

// create creates a secret with the first token, and returns its ARN.
func (w *world) create(name, value string) string {
	w.Helper()
	out, err := w.CreateSecret(w.ctx, &client.CreateSecretInput{
		Name: &name, SecretString: &value, ClientRequestToken: token(1),
	})
	if err != nil {
		w.Fatal(err)
	}
	return *out.ARN
}

func (w *world) put(name, value string, n int, stages ...string) error {
	_, err := w.PutSecretValue(w.ctx, &client.PutSecretValueInput{
		SecretId: &name, SecretString: &value, ClientRequestToken: token(n), VersionStages: stages,
	})
	return err
}

func (w *world) value(id string, version, stage *string) (string, error) {
	in := &client.GetSecretValueInput{SecretId: &id, VersionId: version, VersionStage: stage}
	out, err := w.GetSecretValue(w.ctx, in)
	if err != nil {
		return "", err
	}
	return *out.SecretString, nil
}

// stages returns the staging labels of a secret's versions, with labels or not, as text.
func (w *world) stages(id string) string {
	w.Helper()
	out, err := w.ListSecretVersionIds(w.ctx, &client.ListSecretVersionIdsInput{
		SecretId: &id, IncludeDeprecated: aws.Bool(true),
	})
	if err != nil {
		w.Fatal(err)
	}
	var all []string
	for _, v := range out.Versions {
		all = append(all, strings.TrimLeft((*v.VersionId)[24:], "0")+":"+strings.Join(v.VersionStages, ","))
	}
	return strings.Join(all, " ")
}

func code(err error) string {
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		return refusal.Code
	}
	return fmt.Sprint(err)
}

func TestASecretIsFoundByNameARNAndPartialARN(t *testing.T) {
	w := newWorld(t)
	arn := w.create("app/db-abc123", "x")
	form := regexp.MustCompile(`^arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-abc123-[A-Za-z0-9]{6}$`)
	if !form.MatchString(arn) {
		t.Errorf("got ARN %s", arn)
	}
	for _, id := range []string{"app/db-abc123", arn, arn[:len(arn)-7]} {
		if got, err := w.value(id, nil, nil); err != nil || got != "x" {
			t.Errorf("%s: got %q, %v", id, got, err)
		}
	}
	for _, id := range []string{
		"app/db", arn[:len(arn)-6] + "zzzzz0", strings.Replace(arn, "us-east-1", "eu-west-1", 1), arn[:len(arn)-14],
	} {
		_, err := w.value(id, nil, nil)
		want := "ResourceNotFoundException: Secrets Manager can't find the specified secret."
		if fmt.Sprint(err) != want {
			t.Errorf("%s: got %v", id, err)
		}
	}
}

func TestValuesAreSealedInTheStore(t *testing.T) {
	w := newWorld(t)
	w.create("a", "correct horse battery staple")
	row, _ := store.Secrets.Get(w.Store.View(), store.SecretKey("us-east-1", "a"))
	if text := string(row.Versions[0].Text); text == "" || strings.Contains(text, "correct horse") {
		t.Errorf("got %q", text)
	}
}

func TestBinaryValues(t *testing.T) {
	w := newWorld(t)
	if _, err := w.CreateSecret(w.ctx, &client.CreateSecretInput{
		Name: aws.String("a"), SecretBinary: []byte{0, 1, 255}, ClientRequestToken: token(1),
	}); err != nil {
		t.Fatal(err)
	}
	got, err := w.GetSecretValue(w.ctx, &client.GetSecretValueInput{SecretId: aws.String("a")})
	if err != nil || !slices.Equal(got.SecretBinary, []byte{0, 1, 255}) || got.SecretString != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestLabelsMoveWithNewVersions(t *testing.T) {
	w := newWorld(t)
	w.create("a", "1")
	for _, step := range []struct {
		n      int
		stages []string
		want   string
	}{
		{2, []string{"AWSPENDING", "mine"}, "1:AWSCURRENT 2:AWSPENDING,mine"},
		{3, nil, "1:AWSPREVIOUS 2:AWSPENDING,mine 3:AWSCURRENT"},
		{4, []string{"AWSPENDING"}, "1:AWSPREVIOUS 2:mine 3:AWSCURRENT 4:AWSPENDING"},
		{5, []string{"AWSCURRENT", "other"}, "1: 2:mine 3:AWSPREVIOUS 4:AWSPENDING 5:AWSCURRENT,other"},
	} {
		w.now = w.now.Add(time.Second)
		if err := w.put("a", fmt.Sprint(step.n), step.n, step.stages...); err != nil {
			t.Fatal(err)
		}
		if got := w.stages("a"); got != step.want {
			t.Errorf("after version %d: got %q, want %q", step.n, got, step.want)
		}
	}
	for _, c := range []struct {
		version, stage *string
		want           string
	}{
		{nil, nil, "5"},
		{nil, aws.String("AWSPREVIOUS"), "3"},
		{token(1), nil, "1"},
		{token(4), aws.String("AWSPENDING"), "4"},
		{token(4), aws.String("AWSCURRENT"), "ResourceNotFoundException: You provided a VersionStage that is not " +
			"associated to the provided VersionId."},
		{nil, aws.String("none"), "ResourceNotFoundException: Secrets Manager can't find the specified secret value " +
			"for staging label: none"},
		{token(9), nil, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for " +
			"VersionId: " + *token(9)},
	} {
		got, err := w.value("a", c.version, c.stage)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestLabelsMoveOnRequest(t *testing.T) {
	w := newWorld(t)
	w.create("a", "1")
	w.now = w.now.Add(time.Second)
	if err := w.put("a", "2", 2, "AWSPENDING"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		stage      string
		to, from   *string
		want, code string
	}{
		{"AWSCURRENT", token(2), nil, "1:AWSCURRENT 2:AWSPENDING", "InvalidParameterException"},
		{"AWSCURRENT", token(2), token(2), "1:AWSCURRENT 2:AWSPENDING", "InvalidParameterException"},
		{"AWSCURRENT", nil, token(1), "1:AWSCURRENT 2:AWSPENDING", "InvalidParameterException"},
		{"AWSCURRENT", token(7), token(1), "1:AWSCURRENT 2:AWSPENDING", "InvalidParameterException"},
		{"mine", nil, nil, "1:AWSCURRENT 2:AWSPENDING", "InvalidParameterException"},
		{"AWSCURRENT", token(2), token(1), "1:AWSPREVIOUS 2:AWSCURRENT,AWSPENDING", "<nil>"},
		{"AWSPENDING", nil, token(2), "1:AWSPREVIOUS 2:AWSCURRENT", "<nil>"},
		{"mine", token(1), nil, "1:AWSPREVIOUS,mine 2:AWSCURRENT", "<nil>"},
		{"AWSCURRENT", token(1), token(2), "1:AWSCURRENT,mine 2:AWSPREVIOUS", "<nil>"},
	} {
		_, err := w.UpdateSecretVersionStage(w.ctx, &client.UpdateSecretVersionStageInput{
			SecretId: aws.String("a"), VersionStage: &step.stage, MoveToVersionId: step.to,
			RemoveFromVersionId: step.from,
		})
		if got := w.stages("a"); code(err) != step.code || got != step.want {
			t.Errorf("%s: got %v and %q, want %s and %q", step.stage, err, got, step.code, step.want)
		}
	}
}

func TestRepeatedRequestsChangeNothing(t *testing.T) {
	w := newWorld(t)
	arn := w.create("a", "1")
	if again := w.create("a", "1"); again != arn {
		t.Errorf("a repeated creation: got %s, want %s", again, arn)
	}
	_, err := w.CreateSecret(w.ctx, &client.CreateSecretInput{Name: aws.String("a")})
	const exists = "ResourceExistsException: The operation failed because the secret a already exists."
	if fmt.Sprint(err) != exists {
		t.Errorf("a second secret: got %v", err)
	}
	for range 2 {
		if err := w.put("a", "2", 2); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.put("a", "3", 2); code(err) != "ResourceExistsException" {
		t.Errorf("a token of another value: got %v", err)
	}
	if got := w.stages("a"); got != "1:AWSPREVIOUS 2:AWSCURRENT" {
		t.Errorf("got %q", got)
	}
}

func TestASecretWithoutAValueGetsItsFirstVersionLater(t *testing.T) {
	w := newWorld(t)
	out, err := w.CreateSecret(w.ctx, &client.CreateSecretInput{Name: aws.String("a"), ClientRequestToken: token(1)})
	if err != nil || out.VersionId != nil {
		t.Fatalf("got %+v, %v", out, err)
	}
	_, err = w.value("a", nil, nil)
	if want := "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: " +
		"AWSCURRENT"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := w.put("a", "1", 2, "mine"); err != nil {
		t.Fatal(err)
	}
	if got := w.stages("a"); got != "2:AWSCURRENT,mine" {
		t.Errorf("got %q", got)
	}
}

func TestUpdateSecretKeepsWhatTheRequestOmits(t *testing.T) {
	w := newWorld(t)
	w.create("a", "1")
	w.now = w.now.Add(time.Hour)
	update := func(in client.UpdateSecretInput) *string {
		t.Helper()
		in.SecretId = aws.String("a")
		out, err := w.UpdateSecret(w.ctx, &in)
		if err != nil {
			t.Fatal(err)
		}
		return out.VersionId
	}
	if id := update(client.UpdateSecretInput{Description: aws.String("the a")}); id != nil {
		t.Errorf("an update without a value created version %s", *id)
	}
	withValue := client.UpdateSecretInput{SecretString: aws.String("2"), ClientRequestToken: token(2)}
	if id := update(withValue); *id != *token(2) {
		t.Errorf("got version %s", *id)
	}
	got, err := w.DescribeSecret(w.ctx, &client.DescribeSecretInput{SecretId: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{*token(1): {"AWSPREVIOUS"}, *token(2): {"AWSCURRENT"}}
	if *got.Description != "the a" || !maps.EqualFunc(got.VersionIdsToStages, want, slices.Equal[[]string]) ||
		!got.LastChangedDate.Equal(w.now) || got.LastAccessedDate != nil || got.KmsKeyId != nil {
		t.Errorf("got %+v", got)
	}
}

func TestAnAccessIsRecordedByDay(t *testing.T) {
	w := newWorld(t)
	w.create("a", "1")
	if _, err := w.value("a", nil, nil); err != nil {
		t.Fatal(err)
	}
	got, err := w.DescribeSecret(w.ctx, &client.DescribeSecretInput{SecretId: aws.String("a")})
	if day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC); err != nil || !got.LastAccessedDate.Equal(day) {
		t.Errorf("got %v, %v; want %v", got.LastAccessedDate, err, day)
	}
}

func TestVersionsWithoutLabelsMakeRoom(t *testing.T) {
	w := newWorld(t)
	w.create("a", "1")
	for n := 2; n <= 100; n++ {
		if err := w.put("a", "x", n); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.put("a", "x", 101); code(err) != "LimitExceededException" {
		t.Errorf("a version too many within a day: got %v", err)
	}
	w.now = w.now.Add(25 * time.Hour)
	if err := w.put("a", "x", 101); err != nil {
		t.Error(err)
	}
	if got := len(strings.Fields(w.stages("a"))); got != 100 {
		t.Errorf("got %d versions", got)
	}
}

func TestSecretTags(t *testing.T) {
	w := newWorld(t)
	w.create("a", "1")
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	add := func(tags ...types.Tag) error {
		_, err := w.TagResource(w.ctx, &client.TagResourceInput{SecretId: aws.String("a"), Tags: tags})
		return err
	}
	if err := add(tag("x", "1"), tag("y", "2")); err != nil {
		t.Fatal(err)
	}
	if err := add(tag("aws:x", "1")); code(err) != "InvalidParameterException" {
		t.Errorf("a reserved key: got %v", err)
	}
	if _, err := w.UntagResource(w.ctx, &client.UntagResourceInput{
		SecretId: aws.String("a"), TagKeys: []string{"x"},
	}); err != nil {
		t.Fatal(err)
	}
	got, err := w.DescribeSecret(w.ctx, &client.DescribeSecretInput{SecretId: aws.String("a")})
	if err != nil || len(got.Tags) != 1 || *got.Tags[0].Key != "y" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestInvalidSecretsAreRefusedWithAWSsCodes(t *testing.T) {
	w := newWorld(t)
	x := aws.String("x")
	for _, c := range []struct {
		want string
		in   client.CreateSecretInput
	}{
		{"ValidationException", client.CreateSecretInput{}},
		{"ValidationException", client.CreateSecretInput{Name: aws.String("a b")}},
		{"ValidationException", client.CreateSecretInput{Name: aws.String(strings.Repeat("x", 513))}},
		{"ValidationException", client.CreateSecretInput{
			Name: x, SecretString: aws.String(""), ClientRequestToken: token(1),
		}},
		{"ValidationException", client.CreateSecretInput{
			Name: x, SecretString: aws.String(strings.Repeat("x", 65537)), ClientRequestToken: token(1),
		}},
		{"InvalidParameterException", client.CreateSecretInput{
			Name: x, SecretString: x, SecretBinary: []byte("x"), ClientRequestToken: token(1),
		}},
		{"InvalidParameterException", client.CreateSecretInput{Name: x, SecretString: x, ClientRequestToken: x}},
		{"InvalidRequestException", client.CreateSecretInput{Name: x, SecretString: x}},
		{"NotImplemented", client.CreateSecretInput{Name: x, KmsKeyId: aws.String("alias/mine")}},
		{"NotImplemented", client.CreateSecretInput{Name: x, AddReplicaRegions: []types.ReplicaRegionType{{}}}},
		{"NotImplemented", client.CreateSecretInput{Name: x, Type: x}},
	} {
		if _, err := w.CreateSecret(w.ctx, &c.in); code(err) != c.want {
			t.Errorf("%+v: got %v, want %s", c.in, err, c.want)
		}
	}
	if _, err := w.CreateSecret(w.ctx, &client.CreateSecretInput{
		Name: aws.String("Valid/_+=.@-Name!"), KmsKeyId: aws.String("alias/aws/secretsmanager"),
	}); err != nil {
		t.Error(err)
	}
	w.create("a", "1")
	_, err := w.PutSecretValue(w.ctx, &client.PutSecretValueInput{
		SecretId: aws.String("a"), ClientRequestToken: token(2),
	})
	if code(err) != "InvalidRequestException" {
		t.Errorf("a version without a value: got %v", err)
	}
}
