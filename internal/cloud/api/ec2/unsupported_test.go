package ec2

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// The test sets each field of RunInstancesInput alone. A field that launchParameters does
// not list must be refused by its name.
func TestRunInstancesRefusesEveryUnsupportedParameter(t *testing.T) {
	refusals, known := 0, map[string]bool{}
	var walk func(at reflect.Type, path string, wrap func(reflect.Value) *ec2.RunInstancesInput)
	check := func(path string, value string, in *ec2.RunInstancesInput) {
		err := checkSupported(in)
		listed := slices.ContainsFunc(launchParameters, func(parameter string) bool {
			return path == parameter || strings.HasPrefix(path, parameter+".") || path+"="+value == parameter
		})
		known[path] = true
		refused := err != nil && strings.Contains(err.Error(), "does not support the parameter "+parameterName(path))
		if refused == listed {
			t.Errorf("%s: %v", path, err)
		}
		if refused {
			refusals++
		}
	}
	walk = func(at reflect.Type, path string, wrap func(reflect.Value) *ec2.RunInstancesInput) {
		switch at.Kind() {
		case reflect.Pointer:
			walk(at.Elem(), path, func(v reflect.Value) *ec2.RunInstancesInput {
				p := reflect.New(at.Elem())
				p.Elem().Set(v)
				return wrap(p)
			})
		case reflect.Slice:
			walk(at.Elem(), path, func(v reflect.Value) *ec2.RunInstancesInput {
				return wrap(reflect.Append(reflect.MakeSlice(at, 0, 1), v))
			})
		case reflect.Struct:
			for i := range at.NumField() {
				if field := at.Field(i); field.IsExported() {
					walk(
						field.Type,
						strings.TrimPrefix(path+"."+field.Name, "."),
						func(v reflect.Value) *ec2.RunInstancesInput {
							s := reflect.New(at).Elem()
							s.Field(i).Set(v)
							return wrap(s)
						},
					)
				}
			}
		case reflect.String:
			check(path, "x", wrap(reflect.ValueOf("x").Convert(at)))
		case reflect.Bool:
			check(path, "true", wrap(reflect.ValueOf(true).Convert(at)))
		case reflect.Int32, reflect.Int64:
			check(path, "7", wrap(reflect.ValueOf(7).Convert(at)))
		default:
			t.Errorf("%s has the unexpected type %s", path, at)
		}
	}
	walk(reflect.TypeFor[ec2.RunInstancesInput](), "", func(v reflect.Value) *ec2.RunInstancesInput {
		in := v.Interface().(ec2.RunInstancesInput)
		return &in
	})
	for _, parameter := range launchParameters {
		path, _, _ := strings.Cut(parameter, "=")
		if !known[path] && path != "TagSpecifications" {
			t.Errorf("a launch has no parameter %s", path)
		}
	}
	if refusals < 50 {
		t.Errorf("only %d parameters are refused", refusals)
	}
}

func TestDisabledParametersAreSupported(t *testing.T) {
	if err := supportOnly(&ec2.RunInstancesInput{
		HibernationOptions: &types.HibernationOptionsRequest{Configured: aws.Bool(false)},
		EnclaveOptions:     &types.EnclaveOptionsRequest{Enabled: aws.Bool(false)},
		Ipv6AddressCount:   aws.Int32(0), KernelId: aws.String(""),
		Placement: &types.Placement{Tenancy: types.TenancyDefault},
	}, launchParameters...); err != nil {
		t.Error(err)
	}
}
