package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"aloft.dev/aloft/internal/inventory"
	"aloft.dev/aloft/internal/reachability"
)

// whyData is the data of the page of reachability.
type whyData struct {
	From, To, Port string
	Places         []reachability.Place
	Problem        string
	NotAnalyzed    string // why analyses could not be read
	Answer         *reachability.Answer
}

// places lists what can be chosen by name.
func places(i *inventory.Inventory) []reachability.Place {
	all := []reachability.Place{{Name: reachability.Internet, Ref: reachability.Internet}}
	for _, lb := range i.LoadBalancers {
		name := aws.ToString(lb.LoadBalancerName)
		all = append(all, reachability.Place{Name: "load balancer " + name, Ref: name})
	}
	var machines []reachability.Place
	for _, m := range i.Instances {
		id := aws.ToString(m.InstanceId)
		machines = append(machines, reachability.Place{Name: cmp.Or(nameOf(m.Tags), id), Ref: id})
	}
	slices.SortFunc(machines, func(a, b reachability.Place) int { return cmp.Compare(a.Name, b.Name) })
	return append(all, machines...)
}

func (c *Console) whyPage(r *http.Request) (View, error) {
	all, err := c.inventory(r)
	if err != nil {
		return View{}, err
	}
	data := whyData{
		From: r.FormValue("from"), To: r.FormValue("to"), Port: r.FormValue("port"), Places: places(all),
	}
	if data.From+data.To+data.Port != "" {
		if data.Answer, err = c.answer(r.Context(), all, data); err != nil {
			data.Problem = err.Error()
		}
		if data.Answer != nil && c.Facts == nil {
			data.NotAnalyzed = c.analyze(r, data.Answer)
		}
	}
	return View{Title: "Why can it not be reached?", Current: "why", Sections: []Section{
		{ID: "why", Template: "why.html", Data: data, Fixed: true},
	}}, nil
}

// analyze adds the analyses of Reachability Analyzer that exist to an answer of AWS, and returns
// why they cannot be read, or "".
func (c *Console) analyze(r *http.Request, a *reachability.Answer) string {
	err := a.Analyze(func(from, to []string) ([]inventory.Analysis, error) {
		return inventory.ReadAnalyses(r.Context(), c.clients(r.PathValue("region")).ec2, from, to)
	})
	if err != nil {
		return err.Error()
	}
	return ""
}

func (c *Console) answer(ctx context.Context, all *inventory.Inventory, asked whyData) (*reachability.Answer, error) {
	port, err := strconv.ParseUint(asked.Port, 10, 16)
	if err != nil || port == 0 {
		return nil, errors.New("the port is a number from 1 to 65535")
	}
	place := func(ref string) reachability.Place {
		i := slices.IndexFunc(places(all), func(p reachability.Place) bool { return p.Ref == ref || p.Name == ref })
		if i < 0 {
			return reachability.Place{Name: ref, Ref: ref}
		}
		return places(all)[i]
	}
	a, err := reachability.Find(all, place(asked.From), place(asked.To), uint16(port))
	if err != nil || c.Facts == nil {
		return a, err
	}
	return a, a.Observe(func(p *reachability.Path) (*reachability.Facts, error) { return c.Facts(ctx, p) })
}
