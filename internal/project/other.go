package project

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"aloft.dev/aloft/internal/diag"
)

// recipe is a proposal for an application in a language that Aloft does not know.
type recipe struct {
	files    []string // any of them
	language string
	packages []string
	commands []string
	start    string
}

var recipes = []recipe{
	{
		[]string{"pom.xml"}, "Java",
		[]string{"default-jdk-headless", "maven"},
		[]string{"mvn -B -DskipTests package"}, "java -jar target/NAME.jar",
	},
	{
		[]string{"build.gradle", "build.gradle.kts"}, "Java",
		[]string{"default-jdk-headless"},
		[]string{"./gradlew --no-daemon build -x test"}, "java -jar build/libs/NAME.jar",
	},
	{
		[]string{"Gemfile"}, "Ruby",
		[]string{"ruby-full", "build-essential", "bundler"},
		[]string{"bundle config set --local deployment true", "bundle install"},
		"bundle exec puma -b tcp://0.0.0.0:$PORT",
	},
	{
		[]string{"composer.json", "index.php"}, "PHP",
		[]string{"php-cli", "composer"},
		[]string{"composer install --no-dev --no-interaction"}, "php -S 0.0.0.0:$PORT -t public",
	},
	{
		[]string{"Cargo.toml"}, "Rust",
		[]string{"cargo", "build-essential"},
		[]string{"cargo build --release"}, "./target/release/NAME",
	},
}

// detectOther says what to write for an application that Aloft does not know: a known
// language without support, or a Dockerfile.
func (f *folder) detectOther(p *Project) {
	for _, r := range recipes {
		if i := slices.IndexFunc(r.files, f.has); i >= 0 {
			p.NoStart = &diag.Diagnostic{
				Where:   f.path(r.files[i]),
				Summary: r.language + " is installed and built by the commands in aloft.yaml, which has none",
				Hint:    proposal(r.packages, r.commands, r.start),
			}
			return
		}
	}
	if text, found := f.read("Dockerfile"); found {
		p.NoStart = f.readDockerfile(text)
		return
	}
	p.NoStart = &diag.Diagnostic{
		Where: f.dir,
		Summary: "holds no file that says how to build and start: no package.json, pyproject.toml, " +
			"requirements.txt, go.mod",
		Hint: "run aloft in the application's folder, name it in source.dir, or write start: in aloft.yaml",
	}
}

// proposal returns the lines to write in aloft.yaml.
func proposal(packages, commands []string, start string) string {
	var out strings.Builder
	out.WriteString("write in aloft.yaml:")
	if len(packages)+len(commands) > 0 {
		out.WriteString("\nbuild:")
	}
	if len(packages) > 0 {
		out.WriteString("\n  packages: [" + strings.Join(packages, ", ") + "]")
	}
	if len(commands) > 0 {
		out.WriteString("\n  commands:")
		for _, command := range commands {
			out.WriteString("\n    - " + scalar(command))
		}
	}
	if start == "" {
		start = "COMMAND"
	}
	return out.String() + "\nstart: " + scalar(start)
}

// scalar returns a text as a YAML scalar on one line.
func scalar(text string) string {
	plain := regexp.MustCompile(`^[A-Za-z0-9./$(][^#'"\\{}\[\]]*$`)
	if plain.MatchString(text) && !strings.Contains(text, ": ") {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

var (
	continued    = regexp.MustCompile(`\\[ \t]*\r?\n`)
	aptInstall   = regexp.MustCompile(`(?:apt-get|apt|apk|dnf|yum)\s+(?:-\S+\s+)*(?:install|add)\s+(.*)$`)
	housekeeping = regexp.MustCompile(
		`^((apt-get|apt|apk|dnf|yum|useradd|groupadd|adduser|addgroup|chown) |rm -rf /var/)`)
)

// readDockerfile translates the last stage of a Dockerfile, and the RUN lines of those
// before it, into a proposal (Docker documentation, "Dockerfile reference").
func (f *folder) readDockerfile(text string) *diag.Diagnostic {
	var packages, commands []string
	var entrypoint, command, base string
	for line := range strings.Lines(continued.ReplaceAllString(text, " ")) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch strings.ToUpper(word) {
		case "FROM":
			entrypoint, command = "", ""
			base = firstImage(rest)
		case "RUN":
			p, c := readRun(rest)
			packages, commands = append(packages, p...), append(commands, c...)
		case "CMD":
			command = shellForm(rest)
		case "ENTRYPOINT":
			entrypoint = shellForm(rest)
		}
	}
	slices.Sort(packages)
	start := strings.TrimSpace(entrypoint + " " + command)
	return &diag.Diagnostic{
		Where: f.path("Dockerfile"),
		Summary: "Aloft runs applications without containers, and only a Dockerfile says how this one runs" +
			choose(base == "", "", " (its image is "+base+")"),
		Hint: proposal(slices.Compact(packages), commands, start),
	}
}

func firstImage(rest string) string {
	for word := range strings.FieldsSeq(rest) {
		if !strings.HasPrefix(word, "--") {
			return word
		}
	}
	return ""
}

// readRun splits a RUN line into packages of the distribution and commands.
func readRun(line string) (packages, commands []string) {
	for strings.HasPrefix(line, "--") { // RUN --mount=…
		_, line, _ = strings.Cut(line, " ")
		line = strings.TrimSpace(line)
	}
	if strings.HasPrefix(line, "[") {
		return nil, []string{shellForm(line)}
	}
	for part := range strings.SplitSeq(line, "&&") {
		part = strings.TrimSpace(part)
		if m := aptInstall.FindStringSubmatch(part); m != nil {
			for word := range strings.FieldsSeq(m[1]) {
				if !strings.HasPrefix(word, "-") {
					packages = append(packages, word)
				}
			}
			continue
		}
		if part != "" && !housekeeping.MatchString(part) {
			commands = append(commands, part)
		}
	}
	return packages, commands
}

var execWord = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)

// shellForm returns a command in the exec form as a line for a shell.
func shellForm(text string) string {
	if !strings.HasPrefix(text, "[") {
		return text
	}
	var words []string
	for _, m := range execWord.FindAllStringSubmatch(text, -1) {
		words = append(words, strings.ReplaceAll(m[1], `\"`, `"`))
	}
	if len(words) == 3 && slices.Contains([]string{"sh", "bash"}, path.Base(words[0])) && words[1] == "-c" {
		return words[2]
	}
	for i := range words {
		words[i] = quote(words[i])
	}
	return strings.Join(words, " ")
}
