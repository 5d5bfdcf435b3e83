//go:build linux

package client

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// learn keeps the texts of an answer.
func (h *hostile) learn(v reflect.Value, name string, depth int) {
	if depth > 8 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			h.learn(v.Elem(), name, depth)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "ResultMetadata" {
				h.learn(v.Field(i), f.Name, depth+1)
				if f.Type == reflect.TypeFor[*string]() {
					h.learn(v.Field(i), v.Type().Name()+f.Name, depth+1)
				}
			}
		}
	case reflect.Slice:
		for i := range min(v.Len(), 5) {
			h.learn(v.Index(i), strings.TrimSuffix(name, "s"), depth+1)
		}
	case reflect.String:
		known, text := h.known[name], v.String()
		if text == "" || slices.Contains(known, text) {
			return
		}
		if len(known) == maxKnown {
			known = slices.Delete(known, 0, 1)
		}
		h.known[name] = append(known, text)
	}
}

// maxKnown is how many texts of a field are kept.
const maxKnown = 20

// plausible are texts by the ends of the names of fields that take them.
var plausible = []struct {
	end   string
	texts []string
}{
	{"CidrBlock", []string{"10.0.0.0/16", "10.1.0.0/16", "10.0.1.0/24", "10.0.2.0/24", "10.1.1.0/24"}},
	{"CidrIp", []string{"10.0.0.0/8", "192.0.2.1/32", "0.0.0.0/0"}},
	{"AvailabilityZone", []string{"us-east-1a", "us-east-1b"}},
	{"ImageId", []string{"ami-0123456789abcdef0", "ami-0123456789abcdef1"}},
	{"Protocol", []string{"tcp", "udp", "-1", "HTTP"}},
	{"PolicyDocument", []string{
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},` +
			`"Action":"sts:AssumeRole"}}`,
	}},
	{"Bucket", []string{"first-bucket", "second-bucket"}},
	{"Path", []string{"/", "/a/"}},
	{"Type", []string{"String", "SecureString", "ipv4", "gp3", "t3.micro", "A", "CNAME"}},
	{"Schedule", []string{"0 0 * * *", "cron(0 0 * * ? *)"}},
	{"Endpoint", []string{"someone@example.com"}},
	{"TopicArn", []string{"arn:aws:sns:us-east-1:000000000000:first"}},
	{"Name", []string{"first", "second", "third", "first.example.", "/first", "/aloft/first"}},
	{"Key", []string{"first", "second", "Name"}},
	{"", []string{"first", "second", "a text", "10.0.0.1", "1", "80"}},
}

// aliases are the names that answers have for what requests name otherwise.
var aliases = map[string]string{
	"SecurityGroup": "Group", "Subnet": "Subnet", "Resource": "Instance", "TargetId": "Instance", "VPCId": "Vpc",
	"AllocationId": "Allocation", "HostedZoneId": "HostedZone", "VPCZoneIdentifier": "Subnet", "SourceDestId": "Subnet",
	"SecretId": "Secret", "LogGroupIdentifier": "LogGroup", "PolicyArn": "Policy", "ResourceId": "Vpc",
	"CertificateArn": "Certificate", "SourceSnapshotId": "Snapshot", "SourceImageId": "Image",
}

var (
	hostileTexts = []string{
		"", " ", "a", "0", "-1", "*", "?", ".", "..", "/", "../../etc/passwd", "\x00", "a\x1fb", "\u202e", "é😀",
		"\xff\xfe", "<a>&amp;", `"`, `{"a":`, "%s%n%00", "null", "true", "99999999999999999999", "1e400", "NaN", "0x10",
		"i-0", "i-0123456789abcdef0", "vpc-", "arn:", "arn:aws:::::", "arn:aws:iam::123456789012:role/x",
		"10.0.0.0/33", "::/0", "256.1.1.1", "2001:db8::1", "-",
		"2026-01-01T00:00:00Z", "Mon, 01 Jan 0000", "rate(1 minute)", "key=value", "AWS::", "m1 + SEARCH(",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["a:*"],"Resource":"arn:aws:s3:::*"}}`,
		`[[[[[[[[[[]]]]]]]]]]`, strings.Repeat("a", 256), strings.Repeat("b/", 600), strings.Repeat("😀", 300),
	}
	usualNumbers   = []int64{0, 1, 1, 1, 2, 5, 10, 30, 60, 80, 300}
	hostileNumbers = []int64{
		3, 8, 100, 443, 1000, 3600, 65535, 65536, 86400, -1, -2, 1 << 20,
		math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64,
	}
	hostileFloats = []float64{0, 1, 0.5, -1, 100, 1e300, -1e300, math.NaN(), math.Inf(1), math.SmallestNonzeroFloat64}
)

// fill sets a value at random: often to what its kind of field should have, sometimes to what it should not.
func (h *hostile) fill(v reflect.Value, name string, depth int) {
	switch t := v.Type(); {
	case depth > maxHostileDepth:
	case t == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(h.number()<<h.IntN(30), 0).UTC()))
	case t == reflect.TypeFor[io.Reader]():
		v.Set(reflect.ValueOf(io.Reader(bytes.NewReader([]byte(h.text(name))))))
	case t.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		h.fill(v.Elem(), name, depth)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && f.Name != "DryRun" && h.Float64() < h.density {
				h.fill(v.Field(i), f.Name, depth+1)
			}
		}
	case t == reflect.TypeFor[[]byte]():
		v.SetBytes([]byte(h.text(name)))
	case t.Kind() == reflect.Slice:
		n := []int{1, 1, 1, 1, 2, 0, 3, 40}[h.IntN(8)]
		v.Set(reflect.MakeSlice(t, n, n))
		for i := range n {
			h.fill(v.Index(i), strings.TrimSuffix(name, "s"), depth+1)
		}
	case t.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(t))
		for range h.IntN(3) {
			key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			h.fill(key, name, depth+1)
			h.fill(value, name, depth+1)
			v.SetMapIndex(key, value)
		}
	default:
		h.fillScalar(v, name)
	}
}

func (h *hostile) fillScalar(v reflect.Value, name string) {
	switch {
	case v.Kind() == reflect.String:
		v.SetString(h.enumOr(v, name))
	case v.Kind() == reflect.Bool:
		v.SetBool(h.IntN(2) == 0)
	case v.CanInt():
		v.SetInt(h.number())
	case v.CanFloat():
		v.SetFloat(hostileFloats[h.IntN(len(hostileFloats))])
	}
}

// number returns a number. Usual ones are the likeliest.
func (h *hostile) number() int64 {
	if h.Float64() < h.hostility {
		return hostileNumbers[h.IntN(len(hostileNumbers))]
	}
	return usualNumbers[h.IntN(len(usualNumbers))]
}

// enumOr returns a value of an enumeration, or a text.
func (h *hostile) enumOr(v reflect.Value, name string) string {
	if values := v.MethodByName("Values"); values.IsValid() && h.Float64() >= h.hostility {
		if all := values.Call(nil)[0]; all.Len() > 0 {
			return all.Index(h.IntN(all.Len())).String()
		}
	}
	return h.text(name)
}

// text returns a text for a field: mostly one that answers had in such a field, or a plausible one.
func (h *hostile) text(name string) string {
	if h.Float64() < h.hostility {
		return hostileTexts[h.IntN(len(hostileTexts))]
	}
	known := h.known[name]
	for _, end := range []string{"Id", "Arn", "Name", ""} {
		if len(known) == 0 {
			known = h.known[cmp.Or(aliases[name], name)+end]
		}
	}
	for _, end := range []string{"Arn", "Id", "Name", "Token"} {
		if len(known) == 0 && strings.HasSuffix(name, end) {
			known = h.known[end]
		}
	}
	if len(known) > 0 && h.IntN(4) > 0 {
		return known[h.IntN(len(known))]
	}
	for _, p := range plausible {
		if strings.HasSuffix(name, p.end) {
			return p.texts[h.IntN(len(p.texts))]
		}
	}
	return ""
}
