package alarm

import "testing"

func TestInstanceActionOf(t *testing.T) {
	for arn, want := range map[string]InstanceAction{
		"arn:aws:automate:us-east-1:ec2:stop":                                             StopInstance,
		"arn:aws:automate:us-east-1:ec2:terminate":                                        TerminateInstance,
		"arn:aws:automate:us-east-1:ec2:reboot":                                           RebootInstance,
		"arn:aws:automate:us-east-1:ec2:recover":                                          RecoverInstance,
		"arn:aws:automate:us-east-1:ec2:start":                                            "",
		"arn:aws:automate:us-east-1:rds:stop":                                             "",
		"arn:aws:swf:us-east-1:000000000000:action/actions/AWS_EC2.InstanceId.Stop/1.0":   StopInstance,
		"arn:aws:swf:us-east-1:000000000000:action/actions/AWS_EC2.InstanceId.Reboot/1.0": RebootInstance,
		"arn:aws:swf:us-east-1:000000000000:stop":                                         "",
		"arn:aws:sns:us-east-1:000000000000:stop":                                         "",
		"stop": "",
	} {
		got, ok := InstanceActionOf(arn)
		if got != want || ok != (want != "") {
			t.Errorf("%s is %q, %t, want %q", arn, got, ok, want)
		}
	}
}
