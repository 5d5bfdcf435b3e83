package console

import (
	"html/template"
	"regexp"
	"time"

	"aloft.dev/aloft/internal/reachability"
)

// functions are those of the templates.
var functions = template.FuncMap{
	"time":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") + " UTC" },
	"day":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" },
	"link":  func(i Item, base string) linkedItem { return linkedItem{i, base} },
	"mood":  mood,
	"hop":   func(h reachability.Hop) Item { return Item{Health: mood(h.State), State: string(h.State)} },
	"verdict": func(s reachability.State) string {
		return map[reachability.State]string{
			reachability.Allows: "can be reached", reachability.Blocks: "cannot be reached",
			reachability.Unknown: "nobody can say",
		}[s]
	},
	"linkable": func(id string) bool { return resourceID.MatchString(id) },
}

// linkedItem is an item with the beginning of its page's address.
type linkedItem struct {
	Item Item
	Base string
}

// mood is the health of a hop.
func mood(s reachability.State) Health {
	return map[reachability.State]Health{
		reachability.Allows: Good, reachability.Blocks: Bad, reachability.Unknown: Waiting,
	}[s]
}

// resourceID matches the ids of resources that pages exist for.
var resourceID = regexp.MustCompile(`^(i|eni|rtb|acl|sg|igw|nat|vpc|subnet)-[0-9a-f]+$|:(loadbalancer|targetgroup)/`)

// validRegion matches names of regions.
var validRegion = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
