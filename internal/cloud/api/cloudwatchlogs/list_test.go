package cloudwatchlogs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

func TestLogGroupsAreListedByPatterns(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"/a/one", "/b/two", "/c/a/one"} {
		w.must(w.CreateLogGroup(w.ctx, &client.CreateLogGroupInput{LogGroupName: &name}))
	}
	for _, c := range []struct{ pattern, want string }{
		{"/a/", "/a/one /c/a/one"},
		{"^/a/", "/a/one"},
		{"^/b/|/a/", "/a/one /b/two /c/a/one"},
		{"^/a/one|two|none", "/a/one /b/two"},
		{"/A/", ""},
		{"/a", `Value '/a' at 'logGroupNamePattern' failed to satisfy constraint`},
		{"a*b", `Value 'a*b' at 'logGroupNamePattern' failed to satisfy constraint`},
	} {
		in := &client.ListLogGroupsInput{LogGroupNamePattern: &c.pattern, Limit: aws.Int32(1)}
		var names []string
		for {
			out, err := w.ListLogGroups(w.ctx, in)
			if err != nil {
				names = []string{err.Error()}
				break
			}
			for _, g := range out.LogGroups {
				names = append(names, *g.LogGroupName)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		if got := strings.Join(names, " "); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: got %s, want %s", c.pattern, got, c.want)
		}
	}
}

func TestGroupsByPatternHaveNoSizes(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		in   client.DescribeLogGroupsInput
		want bool
	}{
		{client.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(group)}, true},
		{client.DescribeLogGroupsInput{LogGroupNamePattern: aws.String(group)}, false},
	} {
		out, err := w.DescribeLogGroups(w.ctx, &c.in)
		w.must(out, err)
		if len(out.LogGroups) != 1 || (out.LogGroups[0].StoredBytes != nil) != c.want ||
			(out.LogGroups[0].DeletionProtectionEnabled != nil) != c.want {
			t.Errorf("got %+v", out.LogGroups)
		}
	}
}
