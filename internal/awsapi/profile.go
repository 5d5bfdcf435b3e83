package awsapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"aloft.dev/aloft/internal/diag"
)

// RegionSource is where a client's region comes from.
type RegionSource string

// The sources, in the order in which the SDK reads them.
const (
	RegionGiven           RegionSource = "given"       // Options.Region
	RegionFromEnvironment RegionSource = "environment" // AWS_REGION or AWS_DEFAULT_REGION
	RegionFromProfile     RegionSource = "profile"
	RegionFromDefault     RegionSource = "default" // Options.DefaultRegion
)

// profile is the profile of the shared configuration files that credentials come from.
type profile struct {
	name string // "default" if none is named
	sso  string // profile that signs in through IAM Identity Center: itself or its source; "" if none does
}

// load sets the configuration from the environment and the shared configuration files.
func (c *Client) load(ctx context.Context, o Options, client aws.HTTPClient) error {
	options := []func(*config.LoadOptions) error{
		config.WithRetryer(o.retryer),
		config.WithHTTPClient(client),
		config.WithAssumeRoleCredentialOptions(func(r *stscreds.AssumeRoleOptions) {
			if serial := aws.ToString(r.SerialNumber); serial != "" && o.TokenCode != nil {
				r.TokenProvider = func() (string, error) { return o.TokenCode(serial) }
			}
		}),
	}
	if o.Region != "" {
		options = append(options, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Endpoint != "" {
		options = append(options, config.WithBaseEndpoint(o.Endpoint))
	}
	var err error
	if c.config, err = config.LoadDefaultConfig(ctx, options...); err != nil {
		return explainLoad(o.Profile, err)
	}
	c.readSources(o)
	return nil
}

// readSources sets what the sources of the loaded configuration say about it.
func (c *Client) readSources(o Options) {
	c.profile.name = "default"
	for _, source := range c.config.ConfigSources {
		switch s := source.(type) {
		case config.EnvConfig:
			if o.Region == "" && s.Region != "" {
				c.RegionFrom = RegionFromEnvironment
			}
		case config.SharedConfig:
			if o.Region == "" && s.Region != "" && c.RegionFrom != RegionFromEnvironment {
				c.RegionFrom = RegionFromProfile
			}
			c.profile = profileOf(&s)
		}
	}
	if c.config.Region == "" {
		c.config.Region, c.RegionFrom = o.DefaultRegion, RegionFromDefault
	}
}

func profileOf(s *config.SharedConfig) profile {
	p := profile{name: s.Profile}
	for ; s != nil; s = s.Source {
		if s.SSOSessionName != "" || s.SSOStartURL != "" {
			p.sso = s.Profile
		}
	}
	return p
}

// Profile returns the name of the profile that the configuration comes from.
func (c *Client) Profile() string { return c.profile.name }

// explainLoad explains why the shared configuration could not be loaded. profile is
// the one that the user named, or "".
func explainLoad(profile string, err error) error {
	d := &diag.Diagnostic{Where: "AWS configuration", Summary: "cannot be loaded", Detail: err.Error(), Cause: err}
	environment, _ := config.NewEnvConfig()
	var missing config.SharedConfigProfileNotExistError
	var role config.SharedConfigAssumeRoleError
	switch {
	case errors.As(err, &role):
		d.Where = "profile " + role.Profile
		d.Summary = "the profile that it names as source_profile cannot be used"
		d.Hint = "correct source_profile, or add the profile that it names, in " +
			strings.Join(configFiles(environment), " or ")
	case errors.As(err, &missing):
		d.Where, d.Summary = "profile "+missing.Profile, "does not exist"
		names, files := profiles(configFiles(environment)), strings.Join(configFiles(environment), " and ")
		d.Detail = "there are no profiles in " + files
		d.Hint = "create it: aws configure sso --profile " + missing.Profile
		if len(names) > 0 {
			d.Detail = "the profiles in " + files + ": " + strings.Join(names, ", ")
			d.Hint = "name one of these with --profile or AWS_PROFILE, or create it: aws configure sso --profile " +
				missing.Profile
		}
	case errors.As(err, &config.AssumeRoleTokenProviderNotSetError{}):
		d.Where, d.Summary = "profile "+profile, "needs the code of an MFA device"
		d.Hint = "run the command on a terminal"
	default:
		d.Hint = "correct " + strings.Join(configFiles(environment), " and ")
	}
	return diag.List{d}
}

// configFiles returns the shared configuration files (AWS SDKs and Tools Reference
// Guide, "Location of the shared config and credentials files").
func configFiles(environment config.EnvConfig) []string {
	files := []string{environment.SharedConfigFile, environment.SharedCredentialsFile}
	if files[0] == "" {
		files[0] = config.DefaultSharedConfigFilename()
	}
	if files[1] == "" {
		files[1] = config.DefaultSharedCredentialsFilename()
	}
	return files
}

// profiles returns the names of the profiles in shared configuration files, sorted.
// Sections of the configuration file that begin with another word than "profile" hold
// something else. Files that cannot be read are left out.
func profiles(files []string) []string {
	var names []string
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			section, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "[")
			section, _, closed := strings.Cut(section, "]")
			words := strings.Fields(section)
			switch {
			case !ok || !closed:
			case len(words) == 1:
				names = append(names, words[0])
			case len(words) == 2 && words[0] == "profile":
				names = append(names, words[1])
			}
		}
		_ = file.Close()
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// unauthorized is the code of IAM Identity Center for a session that is not valid (AWS IAM
// Identity Center Portal API Reference, GetRoleCredentials).
const unauthorized = "UnauthorizedException"

// explainCredentials explains why there are no credentials.
func (c *Client) explainCredentials(err error) error {
	d := &diag.Diagnostic{
		Where: "profile " + c.profile.name, Summary: "gives no credentials for AWS", Detail: err.Error(), Cause: err,
	}
	var connection *net.OpError
	var name *net.DNSError
	var given diag.List
	switch {
	case errors.As(err, &given):
		return given
	case errors.Is(err, context.Canceled):
		return Explain("credentials", err)
	case errors.As(err, &connection), errors.As(err, &name):
		d.Hint = checkConnection
	case Code(err) == "ForbiddenException":
		d.Summary = "IAM Identity Center does not give this account and role to the user who has signed in"
		d.Hint = "correct sso_account_id and sso_role_name of the profile, or ask for access to them"
	case c.profile.sso != "" && (Action(err) != "sts:AssumeRole" || Code(err) == "" || Code(err) == unauthorized):
		d.Summary = "its sign-in through IAM Identity Center (SSO) has expired, or never happened"
		d.Hint = "sign in: aws sso login --profile " + c.profile.sso
	case Action(err) == "sts:AssumeRole":
		d.Summary = "AWS does not let it assume its role"
		d.Detail = fmt.Sprintf("%s: %s", Code(err), Message(err))
		d.Hint = "check role_arn, mfa_serial and the MFA code; " +
			"the role must trust the caller, who needs the permission sts:AssumeRole"
	default:
		d.Where, d.Summary = "credentials", "there are none for AWS"
		d.Hint = "run aws configure or aws sso login, or name a profile with --profile or AWS_PROFILE"
	}
	return diag.List{d}
}
