package userdata

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// config is the merged configuration of the cloud-config parts. A key of a later part replaces the same
// key of an earlier one, as cloud-init merges by default.
type config struct {
	bootCommands   []string // lines of a shell script
	files          []file
	hostname, fqdn string
	groups         []group
	users          []user
	usersGiven     bool
	keys           []string // for the default user
	timezone       string
	updatePackages bool
	upgrade        bool
	packages       []string
	runCommands    []string // lines of a shell script
	finalMessage   string
}

// file is an entry of write_files.
type file struct {
	path, permissions, owner string
	content                  []byte
	append, deferred         bool
}

// group is an entry of groups.
type group struct {
	name    string
	members []string
}

// user is an entry of users.
type user struct {
	isDefault                   bool
	name, comment, shell, home  string
	primaryGroup, uid, password string
	groups, sudo, keys          []string
	system, noHome, unlocked    bool
}

// configKeys reads the keys of a cloud-config.
var configKeys = map[string]func(*config, any) error{
	"bootcmd":             func(c *config, v any) error { return commands(&c.bootCommands, v) },
	"runcmd":              func(c *config, v any) error { return commands(&c.runCommands, v) },
	"write_files":         (*config).readFiles,
	"hostname":            func(c *config, v any) error { return text(&c.hostname, v) },
	"fqdn":                func(c *config, v any) error { return text(&c.fqdn, v) },
	"timezone":            func(c *config, v any) error { return text(&c.timezone, v) },
	"final_message":       func(c *config, v any) error { return text(&c.finalMessage, v) },
	"groups":              (*config).readGroups,
	"users":               (*config).readUsers,
	"ssh_authorized_keys": func(c *config, v any) error { return keys(&c.keys, v) },
	"package_update":      func(c *config, v any) error { return boolean(&c.updatePackages, v) },
	"package_upgrade":     func(c *config, v any) error { return boolean(&c.upgrade, v) },
	"packages":            (*config).readPackages,
}

// read reads a cloud-config.
func (c *config) read(data []byte) error {
	if len(data) > maxConfig {
		return fmt.Errorf("cloud-config: it has more than %d bytes", maxConfig)
	}
	tokens := lexer.Tokenize(string(data))
	if err := checkNesting(tokens); err != nil {
		return fmt.Errorf("cloud-config: %w", err)
	}
	tree, err := parser.Parse(tokens, 0)
	if err != nil {
		return fmt.Errorf("cloud-config: %s", oneLine(yaml.FormatError(err, false, false)))
	}
	for _, document := range tree.Docs {
		if document.Body == nil {
			continue // it has comments alone
		}
		found := &aliasFinder{}
		ast.Walk(found, document)
		if found.alias {
			// Aliases of aliases describe documents of any size in a few bytes.
			return errors.New("cloud-config: YAML anchors and aliases are not supported")
		}
	}
	var values map[string]any
	if err := yaml.Unmarshal(data, &values); err != nil {
		return fmt.Errorf("cloud-config: %s", oneLine(yaml.FormatError(err, false, false)))
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		read, ok := configKeys[key]
		if !ok {
			return fmt.Errorf("cloud-config: the key %q is not supported", key)
		}
		if err := read(c, values[key]); err != nil {
			return fmt.Errorf("cloud-config: %s: %w", key, err)
		}
	}
	return nil
}

// checkNesting refuses collections in more collections than any cloud-config has. The parser
// takes memory and time by the square of their number, and its stack ends the program.
func checkNesting(tokens token.Tokens) error {
	inBrackets, line, onLine := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, onLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			inBrackets++
		case token.SequenceEndType, token.MappingEndType:
			inBrackets = max(inBrackets-1, 0)
		case token.SequenceEntryType, token.MappingKeyType: // "- - -" and "? ? ?"
			onLine++
		}
		if inBrackets > maxNesting || onLine > maxNesting {
			return fmt.Errorf("line %d has more than %d collections in each other", line, maxNesting)
		}
	}
	return nil
}

// aliasFinder looks for anchors and aliases.
type aliasFinder struct{ alias bool }

func (f *aliasFinder) Visit(node ast.Node) ast.Visitor {
	switch node.Type() {
	case ast.AnchorType, ast.AliasType, ast.MergeKeyType:
		f.alias = true
		return nil
	}
	return f
}

func (c *config) readFiles(value any) error {
	c.files = nil
	unpacked := 0
	return entries(value, func(entry map[string]any) error {
		f, encoding, content := file{permissions: "0644", owner: "root:root"}, "", ""
		err := fields(entry, map[string]func(any) error{
			"path":        func(v any) error { return text(&f.path, v) },
			"content":     func(v any) error { return text(&content, v) },
			"encoding":    func(v any) error { return text(&encoding, v) },
			"owner":       func(v any) error { return text(&f.owner, v) },
			"permissions": func(v any) error { return permissions(&f.permissions, v) },
			"append":      func(v any) error { return boolean(&f.append, v) },
			"defer":       func(v any) error { return boolean(&f.deferred, v) },
		})
		if err != nil {
			return err
		}
		if !strings.HasPrefix(f.path, "/") {
			return fmt.Errorf("path %q: expected an absolute path", f.path)
		}
		if f.content, err = decode(content, encoding); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
		if unpacked += len(f.content); unpacked > maxUnpacked {
			return fmt.Errorf("the files unpack to more than %d bytes", maxUnpacked)
		}
		c.files = append(c.files, f)
		return nil
	})
}

// decode decodes a file's content (cloud-init documentation, "Write Files", encoding).
func decode(content, encoding string) ([]byte, error) {
	switch strings.ToLower(encoding) {
	case "", "text/plain":
		return []byte(content), nil
	case "b64", "base64":
		return fromBase64(content)
	case "gz", "gzip":
		return (&plan{}).unpack([]byte(content))
	case "gz+b64", "gzip+b64", "gz+base64", "gzip+base64":
		data, err := fromBase64(content)
		if err != nil {
			return nil, err
		}
		return (&plan{}).unpack(data)
	}
	return nil, fmt.Errorf("the encoding %q is not supported", encoding)
}

func fromBase64(content string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content), ""))
	if err != nil {
		return nil, fmt.Errorf("decode base64: %w", err)
	}
	return data, nil
}

// readGroups reads groups: a list, whose entries are names or names with their members.
func (c *config) readGroups(value any) error {
	c.groups = nil
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, entry := range list {
		if members, ok := entry.(map[string]any); ok {
			for _, name := range slices.Sorted(maps.Keys(members)) {
				g := group{name: name}
				if err := texts(&g.members, members[name]); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				c.groups = append(c.groups, g)
			}
			continue
		}
		var names []string
		if err := texts(&names, entry); err != nil {
			return err
		}
		for _, name := range names {
			c.groups = append(c.groups, group{name: name})
		}
	}
	return nil
}

func (c *config) readUsers(value any) error {
	c.users, c.usersGiven = nil, true
	list, ok := value.([]any)
	if !ok {
		return fmt.Errorf("expected a list, got %T", value)
	}
	for _, entry := range list {
		if entry == "default" {
			c.users = append(c.users, user{isDefault: true})
			continue
		}
		values, ok := entry.(map[string]any)
		if !ok {
			return fmt.Errorf("%v: expected default or a user with a name", entry)
		}
		u, err := readUser(values)
		if err != nil {
			return err
		}
		c.users = append(c.users, u)
	}
	return nil
}

func readUser(values map[string]any) (user, error) {
	u, locked := user{shell: "/bin/sh"}, true
	err := fields(values, map[string]func(any) error{
		"name":                func(v any) error { return text(&u.name, v) },
		"gecos":               func(v any) error { return text(&u.comment, v) },
		"shell":               func(v any) error { return text(&u.shell, v) },
		"homedir":             func(v any) error { return text(&u.home, v) },
		"primary_group":       func(v any) error { return text(&u.primaryGroup, v) },
		"uid":                 func(v any) error { return text(&u.uid, v) },
		"groups":              func(v any) error { return texts(&u.groups, v) },
		"sudo":                func(v any) error { return sudoRules(&u.sudo, v) },
		"ssh_authorized_keys": func(v any) error { return keys(&u.keys, v) },
		"passwd":              func(v any) error { return text(&u.password, v) },
		"hashed_passwd":       func(v any) error { return text(&u.password, v) },
		"lock_passwd":         func(v any) error { return boolean(&locked, v) },
		"system":              func(v any) error { return boolean(&u.system, v) },
		"no_create_home":      func(v any) error { return boolean(&u.noHome, v) },
	})
	if err == nil && (u.name == "" || strings.HasPrefix(u.name, "-") || strings.ContainsAny(u.name, ":/\n ")) {
		err = fmt.Errorf("name %q: expected the name of a user", u.name)
	}
	u.unlocked = !locked
	return u, err
}

// readPackages reads packages: names, or names with versions.
func (c *config) readPackages(value any) error {
	c.packages = nil
	list, ok := value.([]any)
	if !ok {
		return fmt.Errorf("expected a list, got %T", value)
	}
	for _, entry := range list {
		var words []string
		if err := texts(&words, entry); err != nil {
			return err
		}
		name := strings.Join(words, "=")
		if len(words) < 1 || len(words) > 2 || strings.HasPrefix(name, "-") || strings.ContainsAny(name, " \n") {
			return fmt.Errorf("%v: expected a name, or a name and a version", entry)
		}
		c.packages = append(c.packages, name)
	}
	return nil
}
