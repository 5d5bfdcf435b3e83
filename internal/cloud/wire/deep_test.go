package wire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// A stack that grows too large ends the process; nothing can recover from it.
func TestDeepDocumentsAreRefused(t *testing.T) {
	_, metrics := shapeOf[cloudwatch.GetMetricStatisticsInput](t, "monitoring")
	for _, opening := range []byte{0x81, 0x9f, 0xc1, 0xbf} {
		body := bytes.Repeat([]byte{opening}, maxBody)
		if opening == 0xbf {
			body = bytes.Repeat([]byte{0xbf, 0x61, 'a'}, maxBody/3)
		}
		r := jsonDecoder{parse: parseCBOR}
		err := r.read(body, metrics, reflect.ValueOf(&cloudwatch.GetMetricStatisticsInput{}).Elem())
		if err == nil {
			t.Errorf("%x… was read", opening)
		}
		wantAWSError(t, err)
	}
	_, parameters := shapeOf[ssm.PutParameterInput](t, "ssm")
	for _, opening := range []string{"[", `{"Name":`} {
		r := jsonDecoder{}
		err := r.read(bytes.Repeat([]byte(opening), maxBody/len(opening)), parameters,
			reflect.ValueOf(&ssm.PutParameterInput{}).Elem())
		if err == nil {
			t.Errorf("%s… was read", opening)
		}
		wantAWSError(t, err)
	}
}
