package sns

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"aloft.dev/aloft/internal/cloud/identity"
	"aloft.dev/aloft/internal/cloud/policydocument"
	"aloft.dev/aloft/internal/cloud/resourcepolicy"
	"aloft.dev/aloft/internal/cloud/store"
)

// maxPolicy is the size of the largest policy of a topic, in bytes.
const maxPolicy = 30 << 10

// policyActions are the actions that the policy of a topic may name, in lower case (Amazon SNS Developer Guide,
// "Amazon SNS API permissions: Actions and resources reference").
var policyActions = []string{
	"addpermission", "deletetopic", "getdataprotectionpolicy", "gettopicattributes", "listsubscriptionsbytopic",
	"listtagsforresource", "publish", "putdataprotectionpolicy", "receive", "removepermission",
	"settopicattributes", "subscribe",
}

// isPolicyAction reports whether the policy of a topic may name an action, with its prefix.
func isPolicyAction(action string) bool {
	name, ok := strings.CutPrefix(strings.ToLower(action), "sns:")
	return ok && slices.Contains(policyActions, name)
}

// setPolicy sets the policy of a topic. Package authorization carries it out.
func setPolicy(row *store.Topic, text string) error {
	if samePolicy(text, row.ARN) {
		row.Policy = ""
		return nil
	}
	if len(text) > maxPolicy {
		return invalid("Policy Reason: the policy is too long")
	}
	policy, err := policydocument.Parse(policydocument.Resource, text)
	if err != nil {
		return invalid("Policy Error: " + err.Error())
	}
	for _, s := range policy.Statements {
		for _, action := range slices.Concat(s.Actions, s.NotActions) {
			if !isPolicyAction(action) {
				return invalid("Policy statement action out of service scope!")
			}
		}
		// As on AWS, it may be another topic's; then the statement allows nothing here.
		if len(s.Resources) != 1 || s.Resources[0] == "*" {
			return invalid("Policy statement must apply to a single resource!")
		}
	}
	row.Policy = policydocument.Compact(text)
	return resourcepolicy.Check(policy)
}

// defaultPolicy returns the policy of a topic without one: its owner may do everything.
func defaultPolicy(arn string) string {
	return `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",` +
		`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes",` +
		`"SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe",` +
		`"SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"` + arn +
		`","Condition":{"StringEquals":{"AWS:SourceOwner":"` + identity.RegionOfARN(arn).Account() + `"}}}]}`
}

// samePolicy reports whether a policy is a topic's default policy, as JSON.
func samePolicy(given, arn string) bool {
	var document any
	if json.Unmarshal([]byte(given), &document) != nil {
		return false
	}
	a, _ := json.Marshal(document) // sorts the keys
	_ = json.Unmarshal([]byte(defaultPolicy(arn)), &document)
	b, _ := json.Marshal(document)
	return string(a) == string(b)
}

// policyText is a policy whose statements are not read.
type policyText struct {
	Version   string `json:",omitempty"`
	ID        string `json:"Id,omitempty"`
	Statement []json.RawMessage
}

// permission is the statement that AddPermission adds.
type permission struct {
	Sid       string
	Effect    string
	Principal map[string]any
	Action    any
	Resource  string
}

// statementsOf returns the policy of a topic. A single statement need not be in a list.
func statementsOf(row *store.Topic) (p policyText, err error) {
	text := row.Policy
	if text == "" {
		text = defaultPolicy(row.ARN)
	}
	if err := json.Unmarshal([]byte(text), &p); err == nil {
		return p, nil
	}
	var single struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	err = json.Unmarshal([]byte(text), &single)
	return policyText{single.Version, single.ID, []json.RawMessage{single.Statement}}, err
}

func sidOf(statement json.RawMessage) string {
	var named struct{ Sid string }
	_ = json.Unmarshal(statement, &named) // policies are valid
	return named.Sid
}

var labelForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// AddPermission adds a statement to the policy of a topic that allows accounts actions.
func (a *API) AddPermission(ctx context.Context, in *sns.AddPermissionInput) (*sns.AddPermissionOutput, error) {
	switch {
	case !labelForm.MatchString(aws.ToString(in.Label)):
		return nil, invalid("Label")
	case len(in.AWSAccountId) == 0:
		return nil, invalid("AWSAccountId")
	case len(in.ActionName) == 0:
		return nil, invalid("ActionName")
	}
	var principals, actions []string
	for _, account := range in.AWSAccountId {
		principals = append(principals, "arn:aws:iam::"+account+":root")
	}
	for _, name := range in.ActionName {
		if !isPolicyAction("sns:" + name) {
			return nil, invalid("Policy statement action out of service scope!")
		}
		actions = append(actions, "SNS:"+name)
	}
	return &sns.AddPermissionOutput{}, a.editPolicy(ctx, in.TopicArn, func(row *store.Topic, p *policyText) error {
		if slices.ContainsFunc(p.Statement, func(s json.RawMessage) bool { return sidOf(s) == *in.Label }) {
			return invalid("Statement already exists")
		}
		added, err := json.Marshal(permission{
			Sid: *in.Label, Effect: "Allow", Principal: map[string]any{"AWS": oneOrMore(principals)},
			Action: oneOrMore(actions), Resource: row.ARN,
		})
		p.Statement = append(p.Statement, added)
		return err
	})
}

// oneOrMore returns a list as policies have it: a text if there is only one.
func oneOrMore(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// RemovePermission removes a statement from the policy of a topic. One that does not exist is no error.
func (a *API) RemovePermission(
	ctx context.Context, in *sns.RemovePermissionInput,
) (*sns.RemovePermissionOutput, error) {
	if !labelForm.MatchString(aws.ToString(in.Label)) {
		return nil, invalid("Label")
	}
	return &sns.RemovePermissionOutput{}, a.editPolicy(ctx, in.TopicArn, func(_ *store.Topic, p *policyText) error {
		p.Statement = slices.DeleteFunc(p.Statement, func(s json.RawMessage) bool { return sidOf(s) == *in.Label })
		return nil
	})
}

// editPolicy changes the statements of the policy of a topic. A policy without statements is the default one.
func (a *API) editPolicy(ctx context.Context, arn *string, edit func(*store.Topic, *policyText) error) error {
	return a.Store.Update(func(tx *store.Tx) error {
		row, err := topic(ctx, tx, "TopicArn", arn)
		if err != nil {
			return err
		}
		p, err := statementsOf(row)
		if err != nil {
			return err
		}
		changed := *row
		if err := edit(&changed, &p); err != nil {
			return err
		}
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if len(p.Statement) == 0 {
			text = []byte(defaultPolicy(row.ARN))
		}
		if err := setPolicy(&changed, string(text)); err != nil {
			return err
		}
		store.Topics.Put(tx, &changed)
		return nil
	})
}
