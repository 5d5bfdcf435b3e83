package hostedzone

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// values holds what turns the fields of a value into those of a zone file (RFC 1035, section 5.1) by type, or
// refuses them (Amazon Route 53 Developer Guide, "Supported DNS record types").
var values = map[string]func(value string) (string, error){
	"A":     address(netip.Addr.Is4, "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
	"AAAA":  address(isIPv6, "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"),
	"CNAME": name,
	"NS":    name,
	"PTR":   name,
	"MX":    fields("MX", "Two", number(16), domain),
	"SRV":   fields("SRV", "Four", number(16), number(16), number(16), domain),
	"SOA":   fields("SOA", "Seven", domain, domain, number(32), number(32), number(32), number(32), number(32)),
	"CAA":   fields("CAA", "Three", number(8), word, text),
	"NAPTR": fields("NAPTR", "Six", number(16), number(16), text, text, text, domain),
	"DS":    fields("DS", "Four", number(16), number(8), number(8), digits),
	"TLSA":  fields("TLSA", "Four", number(8), number(8), number(8), digits),
	"SSHFP": fields("SSHFP", "Three", number(8), number(8), digits),
	"TXT":   texts,
	"SPF":   texts,
}

// HasType reports whether zones have records of a type.
func HasType(kind string) bool { return values[kind] != nil }

// ZoneFileValue returns the value of a record of a type as a zone file has it: with absolute names, and with
// decimal escape codes.
func ZoneFileValue(kind, value string) (string, error) { return values[kind](value) }

func isIPv6(a netip.Addr) bool { return a.Is6() && a.Zone() == "" }

func address(is func(netip.Addr) bool, problem string) func(string) (string, error) {
	return func(value string) (string, error) {
		if addr, err := netip.ParseAddr(value); err != nil || !is(addr) {
			return "", errors.New(problem)
		}
		return value, nil
	}
}

// field turns a field into that of a zone file.
type field func(kind, given string) (string, error)

// fields parses a value of several fields. count is the name of their number.
func fields(kind, count string, each ...field) func(string) (string, error) {
	return func(value string) (string, error) {
		given, err := split(value)
		if err != nil {
			return "", err
		}
		if len(given) != len(each) {
			return "", fmt.Errorf("%sRRDATANot%sFields (%s record doesn't have %d fields)",
				kind, count, kind, len(each))
		}
		for i, parse := range each {
			if given[i], err = parse(kind, given[i]); err != nil {
				return "", err
			}
		}
		return strings.Join(given, " "), nil
	}
}

// split returns the fields of a value. Spaces between quotation marks are part of a field.
func split(value string) ([]string, error) {
	var out []string
	rest := strings.TrimSpace(value)
	for rest != "" {
		end := strings.IndexAny(rest, " \t")
		if end < 0 {
			end = len(rest)
		}
		if rest[0] == '"' {
			_, after, err := parseString(rest)
			if err != nil {
				return nil, err
			}
			end = len(rest) - len(after)
		}
		out, rest = append(out, rest[:end]), strings.TrimSpace(rest[end:])
	}
	return out, nil
}

// name parses a value that is a name.
func name(value string) (string, error) { return domain("", value) }

// domain parses a name. In zone files, names without a dot at the end are relative.
func domain(_, given string) (string, error) {
	if given == "." {
		return given, nil
	}
	if _, err := ParseName(given); err != nil {
		return "", err
	}
	if !strings.HasSuffix(given, ".") {
		given += "."
	}
	return given, nil
}

func number(bits int) field {
	return func(kind, given string) (string, error) {
		if _, err := strconv.ParseUint(given, 10, bits); err != nil {
			return "", fmt.Errorf("%sRRDATAInvalidNumber (%s is not a number of %d bits)", kind, given, bits)
		}
		return given, nil
	}
}

func digits(kind, given string) (string, error) {
	if _, err := hex.DecodeString(given); err != nil || given == "" {
		return "", fmt.Errorf("%sRRDATAInvalidHexadecimal (%s is not hexadecimal)", kind, given)
	}
	return given, nil
}

// word parses a tag of letters and digits (RFC 8659, section 4.1).
func word(kind, given string) (string, error) {
	if strings.ContainsFunc(given, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
	}) {
		return "", fmt.Errorf("%sRRDATAInvalidTag (%s has other characters than letters and digits)", kind, given)
	}
	return given, nil
}

func text(_, given string) (string, error) {
	strs, err := parseStrings(given)
	if err != nil {
		return "", err
	}
	return quoted(strs), nil
}

// texts parses one or more strings in quotation marks.
func texts(value string) (string, error) { return text("", value) }

// quoted returns strings as zone files spell them, whose escape codes are decimal.
func quoted(strs []string) string {
	var b strings.Builder
	for i, s := range strs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte('"')
		for i := range len(s) {
			if c := s[i]; c < ' ' || c > '~' || slices.Contains([]byte(`"\`), c) {
				fmt.Fprintf(&b, `\%03d`, c)
			} else {
				b.WriteByte(c)
			}
		}
		b.WriteByte('"')
	}
	return b.String()
}
