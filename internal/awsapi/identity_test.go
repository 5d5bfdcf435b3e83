package awsapi

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
)

// regionalCloud is AWS as far as Authenticate uses it. us-east-1 accepts the
// credentials; other regions answer with an error code.
type regionalCloud struct {
	code    string // of other regions; "" if their hosts have no names
	home    string // error code of us-east-1; "" if it accepts the credentials
	regions string // items of DescribeRegions; "" if it is forbidden
}

func (c regionalCloud) Do(r *http.Request) (*http.Response, error) {
	reply := func(status int, text string, args ...any) (*http.Response, error) {
		body := io.NopCloser(strings.NewReader(fmt.Sprintf(text, args...)))
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: body, Request: r}, nil
	}
	const failure = `<ErrorResponse><Error><Code>%s</Code><Message>refused</Message></Error></ErrorResponse>`
	const list = `<DescribeRegionsResponse><regionInfo>%s</regionInfo></DescribeRegionsResponse>`
	switch host := r.URL.Host; {
	case strings.HasPrefix(host, "ec2.us-east-1.") && c.regions == "":
		return reply(http.StatusForbidden,
			`<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>`)
	case strings.HasPrefix(host, "ec2.us-east-1."):
		return reply(http.StatusOK, list, c.regions)
	case strings.HasPrefix(host, "sts.us-east-1.") && c.home == "":
		return reply(http.StatusOK, `<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>`)
	case strings.HasPrefix(host, "sts.us-east-1."):
		return reply(http.StatusForbidden, failure, c.home)
	case c.code == "":
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}
	return reply(http.StatusForbidden, failure, c.code)
}

func TestARegionThatCannotBeUsedIsNotABadKey(t *testing.T) {
	item := func(name, status string) string {
		return fmt.Sprintf(`<item><regionName>%s</regionName><optInStatus>%s</optInStatus></item>`, name, status)
	}
	regions := item("us-east-1", "opt-in-not-required") + item("ap-east-1", "not-opted-in") +
		item("me-south-1", "opted-in")
	for name, test := range map[string]struct {
		region string
		cloud  regionalCloud
		want   []string
	}{
		"not enabled": {
			"ap-east-1", regionalCloud{"InvalidClientTokenId", "", regions},
			[]string{
				"region ap-east-1: is not enabled in this account", "InvalidClientTokenId: refused",
				"aws account enable-region --region-name ap-east-1", "me-south-1, us-east-1",
			},
		},
		"not enabled, as EC2 says it": {
			"ap-east-1", regionalCloud{"OptInRequired", "", regions},
			[]string{"ap-east-1: is not enabled in this account"},
		},
		"regions may not be listed": {
			"ap-east-1", regionalCloud{"AuthFailure", "", ""}, []string{"perhaps the account has not enabled it"},
		},
		"token of the global endpoint": {
			"me-south-1", regionalCloud{"InvalidClientTokenId", "", regions},
			[]string{"although the region is enabled", "AWS_STS_REGIONAL_ENDPOINTS=regional"},
		},
		"no such region": {
			"eu-middle-1", regionalCloud{"", "", regions},
			[]string{"region eu-middle-1: AWS has no region of this name", "--region: me-south-1, us-east-1"},
		},
		"bad key": {
			"ap-east-1", regionalCloud{"InvalidClientTokenId", "InvalidClientTokenId", regions},
			[]string{"credentials: AWS does not accept them"},
		},
		"bad key at home": {
			"us-east-1", regionalCloud{"", "InvalidClientTokenId", regions},
			[]string{"credentials: AWS does not accept them"},
		},
		"good": {"us-east-1", regionalCloud{"", "", regions}, nil},
	} {
		err := authenticate(t.Context(), test.region, test.cloud)
		wantWords(t, name, err, test.want)
	}
}

func authenticate(ctx context.Context, region string, cloud regionalCloud) error {
	c, err := New(ctx, Options{
		Region: region, HTTPClient: cloud, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	if err != nil {
		return err
	}
	return c.Authenticate(ctx)
}
