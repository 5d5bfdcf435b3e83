package iam_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
)

// A device whose serial number no request can have could not be deleted.
func TestSerialNumbersOfSecondFactorsCanBeNamed(t *testing.T) {
	w := newWorld(t)
	path := "/" + strings.Repeat("p", 98) + "/"
	create := func(letters int) (*client.CreateVirtualMFADeviceOutput, error) {
		return w.CreateVirtualMFADevice(t.Context(), &client.CreateVirtualMFADeviceInput{
			Path: &path, VirtualMFADeviceName: aws.String(strings.Repeat("n", letters)),
		})
	}
	_, err := create(128)
	refused(t, "CreateVirtualMFADevice", err, "400 ValidationError")
	serial := must(create(127))(t).VirtualMFADevice.SerialNumber
	must(w.DeleteVirtualMFADevice(t.Context(), &client.DeleteVirtualMFADeviceInput{SerialNumber: serial}))(t)
}
