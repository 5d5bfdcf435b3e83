// Package policy derives the least IAM policy for Aloft's commands from a table of the
// actions that they call.
package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Group is a set of commands.
type Group uint8

// The groups. Each contains everything that its commands call, so none needs another.
const (
	Read     Group = 1 << iota // plan, cost, status, releases, verify, why, console, env list
	Deploy                     // up, rollback, scale, env
	Operate                    // ssh, logs, drill
	Teardown                   // down

	everyone = Read | Deploy | Operate | Teardown
)

var names = map[Group]string{Read: "read", Deploy: "deploy", Operate: "operate", Teardown: "teardown"}

// Names returns the names of the groups.
func Names() []string { return []string{"read", "deploy", "operate", "teardown"} }

// String returns the names of the groups in g: "read, deploy".
func (g Group) String() string {
	var all []string
	for _, one := range []Group{Read, Deploy, Operate, Teardown} {
		if g&one != 0 {
			all = append(all, names[one])
		}
	}
	return strings.Join(all, ", ")
}

// Parse returns the groups with the given names, or all groups if there are none.
func Parse(list []string) (Group, error) {
	if len(list) == 0 {
		return everyone, nil
	}
	var all Group
	for _, name := range list {
		i := slices.Index(Names(), name)
		if i < 0 {
			return 0, fmt.Errorf("there is no group of commands %q", name)
		}
		all |= 1 << i
	}
	return all, nil
}

// MaxLength is the number of characters without white space that a managed policy may
// have (AWS Identity and Access Management User Guide, "IAM and AWS STS quotas").
const MaxLength = 6144

// Document is an IAM policy.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement allows actions.
type Statement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string][]string `json:",omitempty"`
}

// Length returns the number of characters that count against MaxLength.
func (d Document) Length() int {
	text, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("texts and lists have a JSON form: %v", err))
	}
	return len(text)
}

// Of returns the least policy for groups of commands in a partition of AWS: "aws".
//
// Actions are restricted where no legitimate call can fail for it: parameters to those
// of Aloft and AWS's public ones, log groups to those of applications, roles to those whose
// names begin with aloft-, the service-linked roles to those that AWS creates with the first
// load balancer, Auto Scaling group and EC2 Instance Connect Endpoint of an account, and the
// termination of instances to those of an application. Deletions are not restricted by tag: a
// deletion whose answer was lost is repeated, and what is gone has no tags.
func Of(groups Group, partition string) Document {
	d := Document{Version: "2012-10-17"}
	add := func(s Statement) {
		if len(s.Action) > 0 {
			s.Effect = "Allow"
			d.Statement = append(d.Statement, s)
		}
	}
	of := func(where func(action string) bool) []string {
		var all []string
		for _, e := range table {
			if e.groups&groups != 0 && where(e.action) {
				all = append(all, e.action)
			}
		}
		return slices.Compact(all)
	}
	special := func(action string) bool {
		return strings.HasPrefix(action, "ssm:") || strings.HasPrefix(action, "iam:") || action == terminate ||
			isLog(action) || isBucket(action)
	}
	add(Statement{
		Sid: "Aloft", Resource: []string{"*"},
		Action: of(func(action string) bool { return !special(action) }),
	})
	add(Statement{
		Sid: "AloftInstances", Resource: []string{"arn:" + partition + ":ec2:*:*:instance/*"},
		Action:    of(func(action string) bool { return action == terminate }),
		Condition: map[string]map[string][]string{"Null": {"aws:ResourceTag/aloft:app": {"false"}}},
	})
	add(Statement{
		Sid: "AloftParameters", Action: of(func(action string) bool { return strings.HasPrefix(action, "ssm:") }),
		Resource: []string{
			"arn:" + partition + ":ssm:*:*:parameter/aloft/*",
			"arn:" + partition + ":ssm:*::parameter/aws/service/*",
		},
	})
	add(Statement{
		Sid: "AloftLogs", Action: of(isLog), Resource: []string{"arn:" + partition + ":logs:*:*:log-group:/aloft/*"},
	})
	add(Statement{
		Sid: "AloftBuckets", Action: of(isBucket),
		Resource: []string{"arn:" + partition + ":s3:::aloft-*", "arn:" + partition + ":s3:::aloft-*/*"},
	})
	add(Statement{
		Sid: "AloftRoles", Action: of(func(action string) bool {
			return strings.HasPrefix(action, "iam:") && action != createRole && action != passRole
		}),
		Resource: []string{
			"arn:" + partition + ":iam::*:role/aloft-*", "arn:" + partition + ":iam::*:instance-profile/aloft-*",
		},
	})
	add(Statement{
		Sid: "AloftServers", Action: of(func(action string) bool { return action == passRole }),
		Resource: []string{"arn:" + partition + ":iam::*:role/aloft-*"},
		Condition: map[string]map[string][]string{"StringEquals": {"iam:PassedToService": {
			"ec2.amazonaws.com", "ec2.amazonaws.com.cn",
		}}},
	})
	add(Statement{
		Sid: "AloftServiceLinkedRoles", Action: of(func(action string) bool { return action == createRole }),
		Resource: []string{"arn:" + partition + ":iam::*:role/aws-service-role/*"},
		Condition: map[string]map[string][]string{"StringEquals": {"iam:AWSServiceName": {
			"autoscaling.amazonaws.com", "ec2-instance-connect.amazonaws.com", "elasticloadbalancing.amazonaws.com",
		}}},
	})
	return d
}

// isLog reports whether an action is about one log group.
func isLog(action string) bool {
	return strings.HasPrefix(action, "logs:") && action != "logs:DescribeLogGroups"
}

// isBucket reports whether an action is about one bucket or an object in it.
func isBucket(action string) bool {
	return strings.HasPrefix(action, "s3:") && action != "s3:ListAllMyBuckets"
}

// Parts returns the policy that Of returns as the fewest managed policies, in order. Whoever has
// all of them may do what the whole allows.
func Parts(groups Group, partition string) []Document {
	whole := Of(groups, partition)
	parts := []Document{{Version: whole.Version}}
	for _, s := range whole.Statement {
		for _, action := range s.Action {
			part := &parts[len(parts)-1]
			if extended := part.with(s, action); extended.Length() <= MaxLength {
				*part = extended
				continue
			}
			parts = append(parts, Document{Version: whole.Version}.with(s, action))
		}
	}
	return parts
}

// with returns the document with one more action of a statement. It leaves d as it is.
func (d Document) with(s Statement, action string) Document {
	d.Statement = slices.Clone(d.Statement)
	if last := len(d.Statement) - 1; last >= 0 && d.Statement[last].Sid == s.Sid {
		d.Statement[last].Action = append(slices.Clone(d.Statement[last].Action), action)
		return d
	}
	s.Action = []string{action}
	d.Statement = append(d.Statement, s)
	return d
}

// Partition returns the partition of a region (AWS General Reference, "Amazon Resource
// Names").
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// Action is an IAM action with the groups that need it.
type Action struct {
	Name   string   `json:"action"`
	Groups []string `json:"groups"`
	Why    string   `json:"why,omitempty"` // for an action that an ordinary run does not show
}

// Actions returns the actions of groups of commands, sorted.
func Actions(groups Group) []Action {
	var all []Action
	for _, e := range table {
		if e.groups&groups != 0 {
			why := e.implied
			if e.rare != "" {
				why = e.rare
			}
			all = append(all, Action{Name: e.action, Groups: strings.Split(e.groups.String(), ", "), Why: why})
		}
	}
	return all
}
