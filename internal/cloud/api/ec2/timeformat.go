package ec2

import (
	"time"
)

// timeFormat is how EC2 writes the creation date of an image.
const timeFormat = "2006-01-02T15:04:05.000Z"

// filterTime is how EC2 compares times in filters.
func filterTime(t time.Time) string { return t.UTC().Format(timeFormat) }
