package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/spec"
)

// connectToAWS returns clients of AWS, or of the endpoint that --endpoint names, whose
// credentials are accepted.
func (g *global) connectToAWS(ctx context.Context, region string) (*awsapi.Client, error) {
	client, err := awsapi.New(ctx, awsapi.Options{
		Region: region, DefaultRegion: spec.DefaultRegion, Profile: g.profile, Endpoint: g.endpoint,
		TokenCode: func(serial string) (string, error) {
			in, ok := g.In.(*os.File)
			return askTokenCode(g.In, g.Err, ok && isTerminal(in), serial)
		},
	})
	if err != nil {
		return nil, err
	}
	if g.endpoint == "" {
		if err := refuseLoopback(client.Endpoints(), os.Getenv); err != nil {
			return nil, err
		}
	}
	if err := client.Authenticate(ctx); err != nil {
		return nil, err
	}
	return client, nil
}

// askTokenCode asks for the code that an MFA device shows. Standard output stays free
// for the command's result.
func askTokenCode(in io.Reader, prompts io.Writer, terminal bool, serial string) (string, error) {
	problem := &diag.Diagnostic{
		Where: "MFA device " + serial, Summary: "its code is needed, and there is no terminal to ask for it on",
		Hint: "run the command on a terminal, or sign in before: " +
			`eval "$(aws configure export-credentials --format env --profile PROFILE)"`,
	}
	if !terminal {
		return "", diag.List{problem}
	}
	_, _ = fmt.Fprintf(prompts, "Code of the MFA device %s: ", serial)
	line, err := bufio.NewReader(in).ReadString('\n')
	if code := strings.TrimSpace(line); code != "" {
		return code, nil
	}
	problem.Summary, problem.Hint, problem.Cause = "no code was given", "enter the code that the device shows", err
	return "", diag.List{problem}
}

// refuseLoopback returns an error if services of AWS would be reached on this computer,
// because variables of the local cloud are set or a profile is for another one. Only
// --endpoint may name such a place, so that nobody takes it for AWS.
func refuseLoopback(endpoints map[string]string, getenv func(string) string) error {
	for _, service := range slices.Sorted(maps.Keys(endpoints)) {
		endpoint := endpoints[service]
		if !isLoopback(endpoint) {
			continue
		}
		source, undo := "the profile's endpoint_url", "remove endpoint_url or services from the profile"
		for _, name := range []string{"AWS_ENDPOINT_URL_" + service, "AWS_ENDPOINT_URL"} {
			if getenv(name) == endpoint {
				source, undo = name, "unset "+name
				break
			}
		}
		return diag.List{{
			Where:   source,
			Summary: "names a place on this computer, " + endpoint + ", which is not AWS",
			Hint: undo + " to use AWS; leave out --on aws to use the local cloud; " +
				"or name the place on purpose: --endpoint " + endpoint,
		}}
	}
	return nil
}

// isLoopback reports whether a URL's host is this computer.
func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		err == nil && (address.Unmap().IsLoopback() || address.IsUnspecified())
}

// validEndpoint reports whether text is the base URL of a service.
func validEndpoint(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// regionSource says where the region of a deployment on AWS comes from.
func (g *global) regionSource(s *spec.Spec, client *awsapi.Client) string {
	switch {
	case g.region != "":
		return "--region"
	case s.RegionGiven:
		return spec.FileName
	case client.RegionFrom == awsapi.RegionFromEnvironment && os.Getenv("AWS_REGION") != "":
		return "AWS_REGION"
	case client.RegionFrom == awsapi.RegionFromEnvironment:
		return "AWS_DEFAULT_REGION"
	case client.RegionFrom == awsapi.RegionFromProfile:
		return "profile " + client.Profile()
	}
	return "the default"
}
