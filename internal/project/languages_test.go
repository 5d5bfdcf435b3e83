package project_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aloft.dev/aloft/internal/project"
)

const (
	venv  = "python3 -m venv .venv"
	pip   = ".venv/bin/pip install --disable-pip-version-check --no-cache-dir "
	uvGet = ".uv/bin/pip install --disable-pip-version-check --no-cache-dir 'uv==0.5.1'"
)

func TestPython(t *testing.T) {
	django := files{
		"requirements.txt": "Django==5.0\ngunicorn==22.0\n", "shop/wsgi.py": "", "shop/settings/prod.py": "",
		"manage.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.prod')\n",
	}
	for name, test := range map[string]struct {
		source  files
		start   string
		install []string
		version string
	}{
		"Django": {
			django.with(files{"runtime.txt": "python-3.11.4\n"}), "gunicorn --bind 0.0.0.0:$PORT shop.wsgi",
			[]string{venv, pip + "-r requirements.txt"}, "3.11.4",
		},
		"Flask": {
			files{"requirements.txt": "flask==3.0\n",
				"app.py": "from flask import Flask\napp = Flask(__name__)\n", ".python-version": "3.12\n"},
			"gunicorn --bind 0.0.0.0:$PORT app:app",
			[]string{venv, pip + "-r requirements.txt", pip + "gunicorn"}, "3.12",
		},
		"Flask with a factory": {
			files{"requirements.txt": "flask==3.0\ngunicorn==22.0\n",
				"shop/__init__.py": "def create_app(config=None):\n    pass\n"},
			"gunicorn --bind 0.0.0.0:$PORT 'shop:create_app()'", []string{venv, pip + "-r requirements.txt"}, "",
		},
		"FastAPI in a package": {
			files{"requirements.txt": "fastapi[standard]==0.115\n", "app/main.py": "app = FastAPI(title='x')\n",
				"app/__init__.py": ""},
			"uvicorn app.main:app --host 0.0.0.0 --port $PORT", []string{venv, pip + "-r requirements.txt"}, "",
		},
		"FastAPI in src": {
			files{"requirements.txt": "fastapi\nuvicorn\n", "src/shop/api.py": "api: FastAPI = FastAPI()\n"},
			"uvicorn --app-dir src shop.api:api --host 0.0.0.0 --port $PORT",
			[]string{venv, pip + "-r requirements.txt"}, "",
		},
		"pyproject with uv": {
			files{
				"pyproject.toml": "[project]\nname = \"a\"\nrequires-python = \">=3.12\"\ndependencies = " +
					"[\"fastapi\", \"uvicorn>=0.30\"]\n" +
					"[tool.uv]\nrequired-version = \"0.5.1\"\n",
				"uv.lock": "version = 1\n", "main.py": "app = FastAPI()\n",
			},
			"uvicorn main:app --host 0.0.0.0 --port $PORT",
			[]string{"python3 -m venv .uv", uvGet, ".uv/bin/uv sync --locked --no-dev --no-cache"},
			">=3.12",
		},
		"pyproject with pip": {
			files{"pyproject.toml": "[project]\nname = \"a\"\ndependencies = [\"flask>=3\", \"gunicorn\"]\n",
				"app.py": "app = Flask(__name__)\n"},
			"gunicorn --bind 0.0.0.0:$PORT app:app", []string{venv, pip + "'flask>=3' gunicorn"}, "",
		},
		"pyproject with a build system": {
			files{
				"pyproject.toml": "[project]\nname = \"a\"\ndependencies = [\"flask\", " +
					"\"gunicorn\"]\n[build-system]\nrequires = [\"hatchling\"]\n",
				"app.py": "app = Flask(__name__)\n",
			},
			"gunicorn --bind 0.0.0.0:$PORT app:app", []string{venv, pip + "."}, "",
		},
		"a Procfile": {
			django.with(files{"Procfile": "web: gunicorn shop.wsgi -w 4\nrelease: python manage.py " +
				"migrate\nworker: celery -A shop worker\n"}),
			"gunicorn shop.wsgi -w 4", []string{venv, pip + "-r requirements.txt"}, "",
		},
		"a script": {
			files{"requirements.txt": "", "main.py": "import http.server\n"}, "python main.py",
			[]string{venv, pip + "-r requirements.txt"}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := detect(t, test.source, ".")
			if p.Language != project.Python || p.Start != test.start || p.Version != test.version || p.NoStart != nil {
				t.Errorf("got %s, start %q, version %q, %v", p.Language, p.Start, p.Version, p.NoStart)
			}
			if diff := cmp.Diff(test.install, p.Install); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{".venv/bin"}, p.Path); diff != "" {
				t.Error(diff)
			}
		})
	}
	several := detect(t, files{
		"requirements.txt": "fastapi\n", "main.py": "app = FastAPI()\n", "api.py": "app = FastAPI()\n",
	}, ".")
	if several.Start != "" || several.NoStart == nil ||
		!strings.Contains(several.NoStart.Summary, "main:app, api:app") {
		t.Errorf("two applications: got %q %+v", several.Start, several.NoStart)
	}
	native := detect(t, files{"requirements.txt": "psycopg2==2.9\n", "main.py": ""}, ".")
	if !strings.Contains(strings.Join(native.Packages, " "), "libpq-dev") {
		t.Errorf("psycopg2: got the packages %v", native.Packages)
	}
}

func TestGo(t *testing.T) {
	const main = "// Command api serves.\npackage main\n"
	mod := files{"go.mod": "module example.com/shop/v2\n\ngo 1.24.0\n\ntoolchain go1.25.3\n"}
	for name, test := range map[string]struct {
		source       files
		dir          string
		build, start string
		version      string
	}{
		"in the root": {mod.with(files{"main.go": main, "cmd/job/main.go": main}), ".",
			"CGO_ENABLED=0 go build -trimpath -o bin/shop .", "./bin/shop", "1.25.3"},
		"a single command": {files{"go.mod": "module a\n\ngo 1.25\n", "a.go": "package a\n", "cmd/api/main.go": main,
			"cmd/gen/main.go": "//go:build ignore\n\npackage main\n", "cmd/win/main_windows.go": main}, ".",
			"CGO_ENABLED=0 go build -trimpath -o bin/api ./cmd/api", "./bin/api", "1.25"},
		"a folder of a module": {mod.with(files{"cmd/api/main.go": main, "cmd/job/main.go": main}), "cmd/api",
			"CGO_ENABLED=0 go build -trimpath -o cmd/api/bin/api ./cmd/api", "./bin/api", "1.25.3"},
		"a module below the root": {files{"svc/go.mod": "module a/svc\n\ngo 1.25\n", "svc/main.go": main}, "svc",
			"CGO_ENABLED=0 go build -trimpath -o bin/svc .", "./bin/svc", "1.25"},
		"a Procfile": {mod.with(files{"cmd/api/main.go": main, "cmd/job/main.go": main,
			"Procfile": "web: bin/api\nworker: bin/job\n"}), ".",
			"CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/api ./cmd/job", "bin/api", "1.25.3"},
	} {
		t.Run(name, func(t *testing.T) {
			p := detect(t, test.source, test.dir)
			if p.Language != project.Go || p.Start != test.start || p.Version != test.version {
				t.Errorf("got %s, start %q, version %q", p.Language, p.Start, p.Version)
			}
			if diff := cmp.Diff([]string{test.build}, p.Build); diff != "" {
				t.Error(diff)
			}
		})
	}
	member := detect(t, mod.with(files{"cmd/api/main.go": main}), "cmd/api")
	if member.Workspace != "." {
		t.Errorf("a folder of a module: got the workspace %q", member.Workspace)
	}
	cgo := detect(t, files{
		"go.mod":  "module a\n\ngo 1.25\n\nrequire github.com/mattn/go-sqlite3 v1.14.24\n",
		"go.sum":  "github.com/mattn/go-sqlite3 v1.14.24/go.mod h1:x\n",
		"main.go": main,
	}, ".")
	if cgo.Build[0] != "go build -trimpath -o bin/a ." || !cgo.Locked || cgo.Install[0] != "go mod download" {
		t.Errorf("cgo: got %q %q", cgo.Build, cgo.Install)
	}
}

func TestOtherLanguagesAreToldWhatToWrite(t *testing.T) {
	dockerfile := "FROM python:3.12 AS build\nRUN pip wheel .\n\nFROM debian:12\n" +
		"RUN apt-get update && apt-get install -y --no-install-recommends \\\n    curl imagemagick && rm -rf " +
		"/var/lib/apt/lists/*\n" +
		"RUN make build\nENV A=1\nEXPOSE 8080\nCMD [\"./server\", \"--name\", \"a b\"]\n"
	for name, test := range map[string]struct {
		source files
		says   []string
	}{
		"Java":    {files{"pom.xml": ""}, []string{"Java", "mvn -B -DskipTests package", "start: java -jar"}},
		"Gradle":  {files{"build.gradle.kts": ""}, []string{"Java", "./gradlew"}},
		"Ruby":    {files{"Gemfile": ""}, []string{"Ruby", "bundle install", "start: bundle exec puma"}},
		"PHP":     {files{"composer.json": ""}, []string{"PHP", "composer install"}},
		"nothing": {files{"README.md": ""}, []string{"no package.json", "start: in aloft.yaml"}},
		"Dockerfile": {files{"Dockerfile": dockerfile}, []string{
			"without containers", "debian:12", "packages: [curl, imagemagick]", "- make build",
			"./server --name", "a b",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := detect(t, test.source, ".")
			if p.Language != project.Other || p.Start != "" || p.NoStart == nil {
				t.Fatalf("got %+v", p)
			}
			for _, text := range test.says {
				if !strings.Contains(p.NoStart.Summary+"\n"+p.NoStart.Hint, text) {
					t.Errorf("%q is not in %s\n%s", text, p.NoStart.Summary, p.NoStart.Hint)
				}
			}
			if strings.Contains(p.NoStart.Hint, "/var/lib/apt") {
				t.Errorf("housekeeping is proposed: %s", p.NoStart.Hint)
			}
		})
	}
}

func TestProcfile(t *testing.T) {
	p := detect(t, files{
		"package.json": `{"main":"a.js","scripts":{"start":"node a.js","job":"node b.js"}}`, "a.js": "",
		"Procfile": "# ours\n\nweb: node a.js --serve\nworker: npm run job\nrelease: node migrate.js\r\n",
	}, ".")
	want := map[string]string{"worker": "npm run job"}
	if p.Start != "node a.js --serve" || p.StartFrom != "Procfile" || p.Release != "node migrate.js" ||
		cmp.Diff(want, p.Processes) != "" {
		t.Errorf("got %+v", p)
	}
	tools := detect(t, files{
		"package.json": `{"main":"a.js","devDependencies":{"prisma":"^5.0.0"}}`, "a.js": "",
		"Procfile": "web: node a.js\nrelease: npx prisma migrate deploy\n",
	}, ".")
	if len(tools.Prune) > 0 || tools.Install[0] != "npm install --include=dev" {
		t.Errorf("a release command with a development dependency: got %q %q", tools.Install, tools.Prune)
	}
	other := detect(t, files{"Procfile": "web: ./serve\n", "Cargo.toml": ""}, ".")
	if other.Language != project.Other || other.Start != "./serve" || other.NoStart != nil {
		t.Errorf("another language: got %+v", other)
	}
}

func TestStartOfTheSpecPrecedesTheFiles(t *testing.T) {
	source := files{"package.json": `{"scripts":{"start":"node a.js"}}`, "Procfile": "web: npm start\n", "a.js": ""}
	p, err := project.DetectStart(source.fs(), ".", "nodemon a.js")
	if err != nil {
		t.Fatal(err)
	}
	if p.Start != "nodemon a.js" || p.StartFrom != "aloft.yaml" || len(p.Install) != 1 ||
		p.Install[0] != "npm install --no-save nodemon" {
		t.Errorf("got %+v", p)
	}
	several := files{"go.mod": "module a\n", "cmd/a/a.go": "package main\n", "cmd/b/b.go": "package main\n"}
	if p, err := project.DetectStart(several.fs(), ".", "bin/b"); err != nil || p.Start != "bin/b" {
		t.Errorf("several commands: got %+v %v", p, err)
	}
}

func TestSeveralLanguages(t *testing.T) {
	assets := `{"scripts":{"build":"vite build"},"devDependencies":{"vite":"^5.0.0"}}`
	for name, test := range map[string]struct {
		source files
		want   project.Language
	}{
		"assets beside Django": {
			files{"package.json": assets, "requirements.txt": "flask\n", "app.py": "app = Flask(__name__)\n"},
			project.Python,
		},
		"assets beside Go": {
			files{"package.json": assets, "go.mod": "module a\n", "main.go": "package main\n"}, project.Go,
		},
		"scripts beside Node.js": {
			files{"package.json": `{"main":"a.js"}`, "a.js": "", "requirements.txt": "requests\n"}, project.Node,
		},
		"a Procfile decides": {
			files{"package.json": `{"main":"a.js"}`, "a.js": "", "requirements.txt": "", "main.py": "",
				"Procfile": "web: python main.py"},
			project.Python,
		},
	} {
		if p := detect(t, test.source, "."); p.Language != test.want {
			t.Errorf("%s: got %s, want %s", name, p.Language, test.want)
		}
	}
}

func TestHealthPaths(t *testing.T) {
	p := detect(t, files{
		"package.json": `{"main":"a.js"}`,
		"a.js": "app.get('/api/health', h)\napp.get(\"/healthz\", h)\n// app.get('/health', h)\n" +
			"app.get('/users/healthy', h); app.get('/ping', h)\n",
		"test/a.test.js":      "get('/livez')\n",
		"node_modules/x/a.js": "'/readyz'\n",
		"b.py":                "path(\"health/\", h)\n",
		"c.go":                "mux.HandleFunc(\"GET /alive\", h)\n",
		"d.ts":                "@Controller('heartbeat')\n",
	}, ".")
	want := []string{"/healthz", "/health/", "/alive", "/heartbeat", "/ping", "/api/health"}
	if diff := cmp.Diff(want, p.HealthPaths); diff != "" {
		t.Error(diff)
	}
}
