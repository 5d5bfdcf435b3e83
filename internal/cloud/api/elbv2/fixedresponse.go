package elbv2

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"aloft.dev/aloft/internal/cloud/store"
)

var contentTypes = []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}

func readFixedResponse(parameter string, in *types.FixedResponseActionConfig) (*store.FixedResponse, error) {
	if in == nil {
		return nil, model.Null(parameter + ".1.member.fixedResponseConfig")
	}
	out := &store.FixedResponse{
		StatusCode:  aws.ToString(in.StatusCode),
		ContentType: aws.ToString(in.ContentType),
		Body:        aws.ToString(in.MessageBody),
	}
	code, err := strconv.Atoi(out.StatusCode)
	switch {
	case err != nil || len(out.StatusCode) != 3 || code/100 != 2 && code/100 != 4 && code/100 != 5:
		return nil, model.Refuse(
			"fixedResponseConfig.statusCode", out.StatusCode, "satisfy regular expression pattern: ^(2|4|5)\\d\\d$",
		)
	case out.ContentType != "" && !slices.Contains(contentTypes, out.ContentType):
		return nil, invalid("The content type '%s' is not supported", out.ContentType)
	case len(out.Body) > 1024:
		return nil, model.TooLong("fixedResponseConfig.messageBody", 1024)
	}
	return out, nil
}
