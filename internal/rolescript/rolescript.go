// Package rolescript has shell functions for programs in machines that call AWS with the
// credentials of the machine's role. They need curl, and whoever includes them a reader of
// JSON.
package rolescript

import _ "embed"

// AWS is the text of the functions, which its first lines describe.
//
//go:embed aws.sh
var AWS string
