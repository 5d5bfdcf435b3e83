//go:build linux

package balancers

import (
	"strconv"
	"time"
)

// seconds and number parse attributes that the API has validated. They return zero for
// anything else, such as "off" or a missing attribute.
func seconds(text string) time.Duration { return time.Duration(number(text)) * time.Second }

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}
