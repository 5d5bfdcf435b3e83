package names_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/wire/names"
)

func TestFieldNames(t *testing.T) {
	tests := []struct {
		service, typeName, field string
		want                     names.Field
	}{
		{"ec2", "Vpc", "VpcId", names.Field{Response: "vpcId", Request: "VpcId", Item: "item"}},
		{"ec2", "Vpc", "Tags", names.Field{Response: "tagSet", Request: "Tags", Item: "item"}},
		{
			"ec2",
			"RunInstancesInput",
			"SecurityGroupIds",
			names.Field{Response: "securityGroupIds", Request: "SecurityGroupId", Item: "item"},
		},
		{
			"elasticloadbalancing",
			"TargetGroup",
			"Matcher",
			names.Field{Response: "Matcher", Request: "Matcher", Item: "member"},
		},
		{"sts", "PolicyDescriptorType", "Arn", names.Field{Response: "Arn", Request: "arn", Item: "member"}},
		{"ssm", "CommandFilter", "Key", names.Field{Response: "key", Request: "key", Item: "member"}},
	}
	for _, tc := range tests {
		table, err := names.Load(tc.service)
		if err != nil {
			t.Fatal(err)
		}
		got, exceptional := table.Exceptions(tc.typeName)[tc.field]
		if !exceptional {
			got = table.DefaultField(tc.field)
		}
		if got != tc.want {
			t.Errorf("%s %s.%s = %+v, want %+v", tc.service, tc.typeName, tc.field, got, tc.want)
		}
	}
}

func TestHasOperation(t *testing.T) {
	table, err := names.Load("ec2")
	if err != nil {
		t.Fatal(err)
	}
	if !table.HasOperation("RunInstances") || table.HasOperation("RunInstance") {
		t.Error("HasOperation reports wrong operations of EC2")
	}
	if _, err := names.Load("sqs"); err == nil {
		t.Error("Load returned a table for a service without one")
	}
}
