package route53

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"aloft.dev/aloft/internal/cloud/hostedzone"
)

// checks holds the check of a value by type (Amazon Route 53 Developer Guide, "Supported
// DNS record types"). Records of other types are not implemented.
var checks = map[string]func(value string) error{
	"A":     checkIPv4,
	"AAAA":  checkIPv6,
	"CNAME": checkDomain,
	"NS":    checkDomain,
	"MX":    checkMX,
	"TXT":   checkTXT,
	"SOA":   checkSOA,
}

func checkIPv4(value string) error {
	if addr, err := netip.ParseAddr(value); err != nil || !addr.Is4() {
		return errors.New("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)")
	}
	return nil
}

func checkIPv6(value string) error {
	if addr, err := netip.ParseAddr(value); err != nil || !addr.Is6() || addr.Zone() != "" {
		return errors.New("AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)")
	}
	return nil
}

func checkDomain(value string) error {
	_, err := hostedzone.ParseName(value)
	return err
}

func checkMX(value string) error {
	fields := strings.Fields(value)
	if len(fields) != 2 {
		return errors.New("MXRRDATANotTwoFields (MX record doesn't have 2 fields)")
	}
	if _, err := strconv.ParseUint(fields[0], 10, 16); err != nil {
		return errors.New("MXRRDATAInvalidPriority (Priority is not a number between 0 and 65535)")
	}
	return checkDomain(fields[1])
}

func checkSOA(value string) error {
	fields := strings.Fields(value)
	if len(fields) != 7 {
		return errors.New("SOARRDATANotSevenFields (SOA record doesn't have 7 fields)")
	}
	for _, number := range fields[2:] {
		if _, err := strconv.ParseUint(number, 10, 32); err != nil {
			return errors.New("SOARRDATAInvalidNumber (Field is not a number of 32 bits)")
		}
	}
	return errors.Join(checkDomain(fields[0]), checkDomain(fields[1]))
}

// checkTXT checks one or more strings in quotation marks.
func checkTXT(value string) error {
	_, err := hostedzone.ParseStrings(value)
	return err
}
