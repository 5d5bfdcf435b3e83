package cli

import (
	"bytes"
	"strings"
	"testing"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/spec"
)

func TestLoopbackIsNotTakenForAWS(t *testing.T) {
	environment := func(variables map[string]string) func(string) string {
		return func(name string) string { return variables[name] }
	}
	for _, test := range []struct {
		endpoints, environment map[string]string
		want                   []string // in the error; none if there is none
	}{
		{nil, nil, nil},
		{map[string]string{"EC2": "https://vpce-1.ec2.us-east-1.vpce.amazonaws.com"}, nil, nil},
		{
			map[string]string{"EC2": "http://127.0.0.1:4566", "STS": "http://127.0.0.1:4566"},
			map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
			[]string{
				"AWS_ENDPOINT_URL: names a place on this computer, http://127.0.0.1:4566", "unset AWS_ENDPOINT_URL to",
				"leave out --on aws", "--endpoint http://127.0.0.1:4566",
			},
		},
		{
			map[string]string{"EC2": "http://localhost:1"},
			map[string]string{"AWS_ENDPOINT_URL_EC2": "http://localhost:1"},
			[]string{"unset AWS_ENDPOINT_URL_EC2"},
		},
		{map[string]string{"SSM": "http://[::1]:1"}, nil, []string{"the profile's endpoint_url", "from the profile"}},
		{map[string]string{"SSM": "http://ec2.LOCALHOST.:1"}, nil, []string{"the profile's endpoint_url"}},
		{map[string]string{"SSM": "http://0.0.0.0:1"}, nil, []string{"the profile's endpoint_url"}},
		{map[string]string{"SSM": "http://[::ffff:127.0.0.1]:1"}, nil, []string{"the profile's endpoint_url"}},
	} {
		err := refuseLoopback(test.endpoints, environment(test.environment))
		if (err == nil) != (len(test.want) == 0) {
			t.Errorf("%v: got %v", test.endpoints, err)
		}
		if err != nil {
			wantProblem(t, err, test.want...)
		}
	}
}

func TestMFACode(t *testing.T) {
	const serial = "arn:aws:iam::123456789012:mfa/ada"
	var prompts bytes.Buffer
	code, err := askTokenCode(strings.NewReader("123456\n"), &prompts, true, serial)
	if err != nil || code != "123456" || !strings.Contains(prompts.String(), serial) {
		t.Errorf("got %q, %v, prompt %q", code, err, prompts.String())
	}
	_, err = askTokenCode(strings.NewReader("123456\n"), &prompts, false, serial)
	wantProblem(t, err, serial, "there is no terminal", "run the command on a terminal")
	_, err = askTokenCode(strings.NewReader("\n"), &prompts, true, serial)
	wantProblem(t, err, "no code was given")
}

func TestRegionSource(t *testing.T) {
	for _, test := range []struct {
		flag  string
		given bool
		from  awsapi.RegionSource
		env   string
		want  string
	}{
		{"eu-west-1", true, awsapi.RegionGiven, "", "--region"},
		{"", true, awsapi.RegionGiven, "", "aloft.yaml"},
		{"", false, awsapi.RegionFromEnvironment, "eu-west-1", "AWS_REGION"},
		{"", false, awsapi.RegionFromEnvironment, "", "AWS_DEFAULT_REGION"},
		{"", false, awsapi.RegionFromDefault, "", "the default"},
	} {
		t.Setenv("AWS_REGION", test.env)
		g := &global{region: test.flag}
		got := g.regionSource(&spec.Spec{RegionGiven: test.given}, &awsapi.Client{RegionFrom: test.from})
		if got != test.want {
			t.Errorf("%+v: got %q", test, got)
		}
	}
}
