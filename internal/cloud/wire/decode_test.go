package wire

import (
	"bytes"
	"net/url"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

func shapeOf[T any](t testing.TB, service string) (*names.Table, *shape) {
	t.Helper()
	table, err := names.Load(service)
	if err != nil {
		t.Fatal(err)
	}
	sh, err := newShapes(table).of(reflect.TypeFor[T]())
	if err != nil {
		t.Fatal(err)
	}
	return table, sh
}

func readForm[T any](t testing.TB, service, body string) (*T, []string, error) {
	t.Helper()
	table, sh := shapeOf[T](t, service)
	values, _ := url.ParseQuery(body)
	f, err := newForm(values)
	if err != nil {
		return nil, nil, err
	}
	in := new(T)
	r := formDecoder{protocol: table.Protocol, service: service}
	err = r.read(f, sh, reflect.ValueOf(in).Elem())
	return in, r.unknown, err
}

func TestFormDecoderReadsOtherClientsForms(t *testing.T) {
	got, unknown, err := readForm[ec2.DescribeInstancesInput](
		t,
		"ec2",
		"Action=DescribeInstances&InstanceId.10=i-10&InstanceId.2=i-2&InstanceId.1=i-1"+
			"&Filter.1.Value.1=running&Filter.1.Name=instance-state-name&Filter.member.1=x&DryRun=True",
	)
	if err != nil {
		t.Fatal(err)
	}
	want := &ec2.DescribeInstancesInput{
		InstanceIds: []string{"i-1", "i-2", "i-10"}, DryRun: aws.Bool(true),
		Filters: []types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"running"}}},
	}
	if diff := cmp.Diff(want, got, sameValues); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Filter.member.1"}, unknown); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyQueryListIsNotNil(t *testing.T) {
	got, _, err := readForm[elasticloadbalancingv2.ModifyListenerInput](
		t, "elasticloadbalancing", "Certificates=&DefaultActions.member.1.Type=forward",
	)
	if err != nil {
		t.Fatal(err)
	}
	if got.Certificates == nil || len(got.Certificates) != 0 || got.AlpnPolicy != nil || len(got.DefaultActions) != 1 {
		t.Errorf("input = %+v", got)
	}
}

func TestInvalidJSONIsRefused(t *testing.T) {
	_, sh := shapeOf[ssm.PutParameterInput](t, "ssm")
	for _, body := range []string{
		`{`, `[]`, `"x"`, `{} {}`, `{"Name":1}`, `{"Overwrite":"yes"}`, `{"Tags":{}}`, `{"Tags":[null]}`,
		`{"Tags":[{"Key":[]}]}`,
	} {
		r := jsonDecoder{}
		in := ssm.PutParameterInput{}
		err := r.read([]byte(body), sh, reflect.ValueOf(&in).Elem())
		if e, ok := err.(*Error); !ok || e.Code != "SerializationException" {
			t.Errorf("%s: error = %v", body, err)
		}
	}
}

func TestUnknownJSONMembersAreReported(t *testing.T) {
	_, sh := shapeOf[ssm.PutParameterInput](t, "ssm")
	r := jsonDecoder{}
	in := ssm.PutParameterInput{}
	if err := r.read(
		[]byte(`{"Name":"a","Tier":null,"Nme":1,"Tags":[{"Key":"k","V":1}]}`), sh, reflect.ValueOf(&in).Elem(),
	); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Nme", "Tags[0].V"}, r.unknown); diff != "" {
		t.Error(diff)
	}
	if *in.Name != "a" || in.Tier != "" || *in.Tags[0].Key != "k" {
		t.Errorf("input = %+v", in)
	}
}

// For any input, the decoder returns a value or an AWS error.
func FuzzForm(f *testing.F) {
	f.Add("ImageId=ami-1&MinCount=1&MaxCount=1&TagSpecification.1.Tag.1.Key=a&BlockDeviceMapping.1.Ebs.VolumeSize=8")
	f.Add("InstanceMarketOptions.SpotOptions.ValidUntil=2026-01-01T00:00:00Z&NetworkInterface.0.Groups=x")
	f.Add("a.b.c=&.=&..=.&TagSpecification=&TagSpecification.x.1=2")
	table, sh := shapeOf[ec2.RunInstancesInput](f, "ec2")
	_, lists := shapeOf[elasticloadbalancingv2.CreateRuleInput](f, "elasticloadbalancing")
	f.Fuzz(func(t *testing.T, body string) {
		values, _ := url.ParseQuery(body)
		tree, err := newForm(values)
		if err != nil {
			return
		}
		r := formDecoder{protocol: table.Protocol}
		wantAWSError(t, r.read(tree, sh, reflect.ValueOf(&ec2.RunInstancesInput{}).Elem()))
		r = formDecoder{protocol: names.Query}
		wantAWSError(t, r.read(tree, lists, reflect.ValueOf(&elasticloadbalancingv2.CreateRuleInput{}).Elem()))
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"Name":"/a","Value":"b","Tags":[{"Key":"k","Value":"v"}],"Overwrite":true}`))
	f.Add([]byte(`{"Name":null,"Tags":[],"Overwrite":1e400}`))
	_, sh := shapeOf[ssm.PutParameterInput](f, "ssm")
	f.Fuzz(func(t *testing.T, body []byte) {
		r := jsonDecoder{}
		wantAWSError(t, r.read(body, sh, reflect.ValueOf(&ssm.PutParameterInput{}).Elem()))
	})
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(`<LifecycleConfiguration><Rule><Filter><And><Prefix>a/</Prefix><Tag><Key>k</Key></Tag></And>` +
		`</Filter><Expiration><Date>2026-01-01T00:00:00Z</Date></Expiration></Rule></LifecycleConfiguration>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><LifecycleConfiguration>&b;<Rule/></LifecycleConfiguration>`))
	f.Add(bytes.Repeat([]byte("<LifecycleConfiguration>"), 2000))
	_, sh := shapeOf[s3types.BucketLifecycleConfiguration](f, "s3")
	f.Fuzz(func(t *testing.T, body []byte) {
		d := xmlDecoder{}
		v := reflect.ValueOf(&s3types.BucketLifecycleConfiguration{}).Elem()
		wantAWSError(t, d.read(body, "LifecycleConfiguration", sh, v))
	})
}

func wantAWSError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if _, ok := err.(*Error); !ok {
		t.Errorf("error %v is not a *wire.Error", err)
	}
}
