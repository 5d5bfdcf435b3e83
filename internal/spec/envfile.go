package spec

import (
	"errors"
	"maps"
	"os"
	"path/filepath"

	"github.com/joho/godotenv"
)

// errNotEnvFile stands for the parser's error, which quotes the text around the mistake.
var errNotEnvFile = errors.New("a line is not of the form NAME=value")

// Variables returns the environment variables of env_file and env.
func (s *Spec) Variables() map[string]string {
	all := maps.Clone(s.fromFile)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, s.Env)
	return all
}

// readEnvFile reads and checks the variables of env_file.
func (s *Spec) readEnvFile(d *decoder) {
	if s.EnvFile == "" {
		return
	}
	if !filepath.IsAbs(s.EnvFile) {
		s.EnvFile = filepath.Join(s.Dir, s.EnvFile)
	}
	text, err := os.ReadFile(s.EnvFile)
	if err != nil {
		d.require(false, "env_file", "give the file of variables, relative to "+FileName, "%v", err)
		return
	}
	s.fromFile, err = ParseEnvFile(text)
	d.require(err == nil, "env_file", "write lines of NAME=value", "%s cannot be parsed: %v", s.EnvFile, err)
	for name, value := range s.fromFile {
		s.validateVariable(d, "env_file", name, value)
	}
}

// ParseEnvFile parses lines of NAME=value as the dotenv packages do. Its errors do not
// contain values.
func ParseEnvFile(text []byte) (map[string]string, error) {
	values, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		return nil, errNotEnvFile
	}
	return values, nil
}
