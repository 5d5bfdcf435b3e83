// Package environment describes the environment variables of an application as they are
// kept in one parameter of Parameter Store. Its types are plain data, which print names
// and never values.
package environment

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxLength is the number of characters that a parameter's value may have in the advanced
// tier (AWS Systems Manager User Guide, "Managing parameter tiers").
const maxLength = 8192

// maxUnpacked bounds what Decode unpacks.
const maxUnpacked = 4 << 20

// ParameterName returns the name of the parameter of an application.
func ParameterName(app string) string { return "/aloft/" + app + "/env/variables" }

// Environment holds the variables of an application by their source. The value of a name
// that is in several is that of Secrets, of Spec, or of Set, in this order.
type Environment struct {
	// Version is the version of the parameter with which the contents were first stored.
	// It identifies them: a rollback stores the same contents again, with the same
	// Version. It is 0 for contents that were not stored yet.
	Version int64
	Spec    map[string]string // of aloft.yaml and its env_file
	Set     map[string]string // of aloft env
	Secrets map[string]string // references by name: "ssm:/shop/prod/db"
}

// contents is the JSON form of a parameter's value.
type contents struct {
	Version int64             `json:"version"`
	Spec    map[string]string `json:"spec"`
	Set     map[string]string `json:"set"`
	Secrets map[string]string `json:"secrets"`
}

// String returns the names of the variables.
func (e Environment) String() string {
	names := e.Names()
	if len(names) == 0 {
		return "no variables"
	}
	return strings.Join(names, ", ")
}

// GoString returns what String returns, so that no way of printing shows values.
func (e Environment) GoString() string { return e.String() }

// MarshalJSON returns the names of the variables. Encode returns the values.
func (e Environment) MarshalJSON() ([]byte, error) { return json.Marshal(e.Names()) }

// Names returns the names of all variables, sorted.
func (e Environment) Names() []string {
	all := slices.Concat(
		slices.Collect(maps.Keys(e.Spec)), slices.Collect(maps.Keys(e.Set)), slices.Collect(maps.Keys(e.Secrets)))
	slices.Sort(all)
	return slices.Compact(all)
}

// Equal reports whether two environments have the same contents, whatever their versions.
func (e Environment) Equal(other Environment) bool {
	return maps.Equal(e.Spec, other.Spec) && maps.Equal(e.Set, other.Set) && maps.Equal(e.Secrets, other.Secrets)
}

// Changed returns the names whose value or source differs between two environments, sorted.
func Changed(from, to Environment) []string {
	var all []string
	for _, name := range slices.Concat(from.Names(), to.Names()) {
		for _, of := range [][2]map[string]string{
			{from.Spec, to.Spec}, {from.Set, to.Set}, {from.Secrets, to.Secrets},
		} {
			before, was := of[0][name]
			after, is := of[1][name]
			if was != is || before != after {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Digest returns a text that differs for different values and does not tell them, to whom
// does not know the salt.
func Digest(salt, name, value string) string {
	mac := hmac.New(sha256.New, []byte(salt))
	_, _ = io.WriteString(mac, name+"\x00"+value) // never returns an error
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// ErrTooLong is returned for an environment that does not fit in a parameter.
var ErrTooLong = errors.New("the environment is too long for a parameter")

// Encode returns the value of the parameter: JSON, compressed, in base64. The error wraps
// ErrTooLong if there is too much of it.
func (e Environment) Encode() (string, error) {
	text, err := json.Marshal(contents{e.Version, orEmpty(e.Spec), orEmpty(e.Set), orEmpty(e.Secrets)})
	if err != nil {
		return "", errors.New("encode the environment") // the cause may quote values
	}
	var out bytes.Buffer
	writer, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return "", fmt.Errorf("compress the environment: %w", err)
	}
	if _, err := writer.Write(text); err != nil {
		return "", fmt.Errorf("compress the environment: %w", err)
	}
	if err := writer.Close(); err != nil {
		return "", fmt.Errorf("compress the environment: %w", err)
	}
	value := base64.StdEncoding.EncodeToString(out.Bytes())
	if len(value) > maxLength {
		return "", fmt.Errorf("%w: %d of %d characters", ErrTooLong, len(value), maxLength)
	}
	return value, nil
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// Decode returns the environment in a parameter's value. Its errors do not contain values.
func Decode(value string) (Environment, error) {
	packed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err != nil {
		return Environment{}, errors.New("decode the environment: it is not base64")
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return Environment{}, errors.New("decode the environment: it is not compressed by gzip")
	}
	text, err := io.ReadAll(io.LimitReader(reader, maxUnpacked))
	if err != nil {
		return Environment{}, errors.New("decode the environment: it is damaged")
	}
	var c contents
	if json.Unmarshal(text, &c) != nil {
		return Environment{}, errors.New("decode the environment: it is not JSON of variables")
	}
	return Environment{Version: c.Version, Spec: orEmpty(c.Spec), Set: orEmpty(c.Set), Secrets: orEmpty(c.Secrets)}, nil
}
