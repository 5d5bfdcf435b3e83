package awsapi

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Filter returns a filter of an EC2 query.
func Filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

// Wrap adds what was attempted to an error. It returns nil if err is nil.
func Wrap(attempted string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", attempted, err)
	}
	return nil
}
