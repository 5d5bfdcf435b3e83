package authorization

import (
	"context"
	"testing"
	"time"

	ec2client "github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/cloud/session"
	"aloft.dev/aloft/internal/cloud/store"
	"aloft.dev/aloft/internal/cloud/wire"
)

// An operation without an entry needs a policy of everything, and no denial.
func TestOperationsWithoutEntriesAreForThoseWhoMayDoEverything(t *testing.T) {
	s, err := store.Open("")
	if err != nil {
		t.Fatal(err)
	}
	const everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	for statements, want := range map[string]bool{
		everything: true,
		`{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`:                                                   false,
		`{"Effect":"Allow","Action":"*","Resource":"arn:aws:ec2:*"}`:                                           false,
		everything + `,{"Effect":"Deny","Action":"ec2:CreateTransitGateway","Resource":"arn:aws:ec2:*:*:*/x"}`: false,
	} {
		role := &store.Role{
			Name: "web", ID: "AROAweb", ARN: "arn:aws:iam::000000000000:role/web",
			Permissions: store.Permissions{
				Inline: map[string]string{"p": `{"Version":"2012-10-17","Statement":[` + statements + `]}`},
			},
		}
		if err := s.Update(func(tx *store.Tx) error { store.Roles.Put(tx, role); return nil }); err != nil {
			t.Fatal(err)
		}
		who := principalOf(&session.Session{RoleID: role.ID, RoleName: role.Name, Name: "s", Issued: time.Now()})
		ran := false
		_, err := New(Config{Store: s}).Around(
			wire.WithCaller(t.Context(), wire.Caller{Region: "us-east-1", Principal: who}),
			wire.Call{Service: "ec2", Operation: "CreateTransitGateway", Input: &ec2client.CreateTransitGatewayInput{}},
			func(context.Context) (any, error) { ran = true; return nil, nil },
		)
		if ran != want || want != (err == nil) {
			t.Errorf("%s: ran %v, %v; want %v", statements, ran, err, want)
		}
	}
}
