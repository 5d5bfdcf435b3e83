package resource

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"aloft.dev/aloft/internal/awsapi"
	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/environment"
	"aloft.dev/aloft/internal/plan"
	"aloft.dev/aloft/internal/stack"
)

var environmentKind = kind{
	name:   stack.KindEnvironment,
	find:   findEnvironments,
	create: created((*Provisioner).createEnvironment),
	update: updated((*Provisioner).updateEnvironment),
	remove: (*Provisioner).deleteEnvironment,
}

// environmentPrefix begins the ids of environments: "env-3".
const environmentPrefix = "env-"

func environmentID(version int64) string { return environmentPrefix + strconv.FormatInt(version, 10) }

// Environment returns the environment of a version of the application's parameter, or the
// newest if version is 0. It returns an error for which awsapi.IsNotFound holds if there
// is none.
func (c *Cloud) Environment(ctx context.Context, version int64) (*environment.Environment, error) {
	name := environment.ParameterName(c.App)
	if version != 0 {
		name += ":" + strconv.FormatInt(version, 10)
	}
	parameter, err := c.readEnvironment(ctx, name)
	if err != nil {
		return nil, err
	}
	e, err := environment.Decode(aws.ToString(parameter.Value))
	if err != nil {
		return nil, &diag.Diagnostic{
			Where: stack.AddressEnvironment, Summary: "parameter " + name + " is not one that Aloft wrote",
			Detail: err.Error(),
			Hint: "delete it: aws ssm delete-parameter --name " + environment.ParameterName(c.App) +
				"; then run aloft up, and set again what aloft env had set",
			Cause: err,
		}
	}
	return &e, nil
}

func (c *Cloud) readEnvironment(ctx context.Context, name string) (*types.Parameter, error) {
	out, err := c.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("read the environment in parameter %s: %w", name, err)
	}
	return out.Parameter, nil
}

func findEnvironments(ctx context.Context, d *discovery) ([]plan.Found, error) {
	parameter, err := d.readEnvironment(ctx, environment.ParameterName(d.App))
	if awsapi.IsNotFound(err) || d.unneeded(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f := plan.Found{
		Address: stack.AddressEnvironment, Kind: stack.KindEnvironment, Name: aws.ToString(parameter.Name),
	}
	f.Status.EnvironmentLatest = parameter.Version
	if err := d.setParameterTags(ctx, &f); err != nil {
		return nil, err
	}
	e, err := environment.Decode(aws.ToString(parameter.Value))
	if err != nil { // somebody wrote something else, which the next version replaces
		f.ID = environmentPrefix + "unknown"
		return []plan.Found{f}, nil
	}
	f.ID, f.Status.Environment = environmentID(e.Version), &e
	for _, a := range stack.EnvironmentAttributes(e, d.Salt) {
		var values []string
		for _, t := range a.Terms {
			values = append(values, t.Text)
		}
		f.Set(a.Key, values...)
	}
	return []plan.Found{f}, nil
}

func (p *Provisioner) createEnvironment(
	ctx context.Context, r stack.Resource, body stack.Environment,
) (plan.Found, error) {
	f := plan.Found{Address: r.Address, Kind: stack.KindEnvironment, Name: body.ParameterName}
	var err error
	f.ID, err = p.putEnvironment(ctx, r, body, 0)
	return f, err
}

func (p *Provisioner) updateEnvironment(
	ctx context.Context, r stack.Resource, body stack.Environment, current plan.Found,
) (err error) {
	if current.ID, err = p.putEnvironment(ctx, r, body, current.Status.EnvironmentLatest); err != nil {
		return err
	}
	p.SetKnown(r.Address, current)
	return nil
}

// putEnvironment stores an environment as the version after latest, and returns its id.
// Contents that were stored before keep the version that they had.
func (p *Provisioner) putEnvironment(
	ctx context.Context, r stack.Resource, body stack.Environment, latest int64,
) (string, error) {
	e := body.Contents
	if e.Version == 0 {
		e.Version = latest + 1
	}
	value, err := e.Encode()
	if err != nil {
		return "", TooLong(err)
	}
	in := &ssm.PutParameterInput{
		Name: &body.ParameterName, Value: &value, Type: types.ParameterTypeSecureString,
		Tier: types.ParameterTierIntelligentTiering, Overwrite: aws.Bool(latest > 0),
		Description: aws.String("Aloft: the environment of " + p.App),
	}
	if latest == 0 { // an existing parameter keeps its tags, and the call refuses others
		in.Tags = ssmTags(userTags(r.Tags))
	}
	_, err = p.SSM.PutParameter(ctx, in)
	if err != nil {
		return "", fmt.Errorf("write the environment to parameter %s: %w", body.ParameterName, err)
	}
	return environmentID(e.Version), nil
}

// TooLong explains that an environment cannot be encoded.
func TooLong(err error) *diag.Diagnostic {
	return &diag.Diagnostic{
		Where: stack.AddressEnvironment, Summary: err.Error(),
		Hint:  "keep long values in parameters or secrets of their own, and refer to them with secrets: in aloft.yaml",
		Cause: err,
	}
}

func (p *Provisioner) deleteEnvironment(ctx context.Context, f plan.Found) error {
	_, err := p.SSM.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &f.Name})
	return ignoreNotFound("delete parameter "+f.Name, err)
}
