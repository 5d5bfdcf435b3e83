//go:build linux

package docs

// order is the order in which TestRealDocs runs the pages' commands. Each command
// runs once, where it first appears: README deploys the tutorial, which the pages
// after it use, getting-started removes it and troubleshooting resets the local
// cloud.
var order = []string{
	"README.md",
	"docs/drills.md",
	"docs/why.md",
	"docs/console.md",
	"docs/releases.md",
	"docs/scaling.md",
	"docs/local-cloud.md",
	"docs/manners.md",
	"docs/getting-started.md",
	"docs/cost.md",
	"docs/troubleshooting.md",
}

// elsewhere are the pages whose commands other tests run.
var elsewhere = []string{"examples/production/README.md"} // test/production
