package ec2

import (
	"time"
)

// timeFormat is EC2's format of the creation date of an image and of times in filters.
const timeFormat = "2006-01-02T15:04:05.000Z"

// filterTime returns a time as filters compare it.
func filterTime(t time.Time) string { return t.UTC().Format(timeFormat) }
