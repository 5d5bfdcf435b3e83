package sns_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sns"
)

func TestNothingIsThereForPhones(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	for _, test := range []struct {
		token *string
		size  *int32
		want  string
	}{{nil, nil, ""}, {aws.String("x"), nil, "NextToken"}, {nil, aws.Int32(0), "MaxResults"}} {
		applications, err := w.ListPlatformApplications(ctx, &client.ListPlatformApplicationsInput{
			NextToken: test.token,
		})
		if test.want == "NextToken" {
			wantCode(t, err, "InvalidParameter", test.want)
		} else if err != nil || len(applications.PlatformApplications) != 0 {
			t.Errorf("got %+v, %v", applications, err)
		}
		for _, ask := range []func() error{
			func() error {
				_, err := w.ListOriginationNumbers(ctx, &client.ListOriginationNumbersInput{
					NextToken: test.token, MaxResults: test.size,
				})
				return err
			},
			func() error {
				_, err := w.ListSMSSandboxPhoneNumbers(ctx, &client.ListSMSSandboxPhoneNumbersInput{
					NextToken: test.token, MaxResults: test.size,
				})
				return err
			},
		} {
			if err := ask(); test.want != "" {
				wantCode(t, err, "InvalidParameter", test.want)
			} else if err != nil {
				t.Error(err)
			}
		}
	}
	if out, err := w.ListPhoneNumbersOptedOut(ctx, &client.ListPhoneNumbersOptedOutInput{}); err != nil ||
		len(out.PhoneNumbers) != 0 {
		t.Errorf("got %+v, %v", out, err)
	}
	if out, err := w.GetSMSSandboxAccountStatus(ctx, &client.GetSMSSandboxAccountStatusInput{}); err != nil ||
		!out.IsInSandbox {
		t.Errorf("got %+v, %v", out, err)
	}
}
