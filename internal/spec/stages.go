package spec

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"aloft.dev/aloft/internal/diag"
)

// Stages are the differences of an application's stages, by their names.
type Stages map[string]Overlay

// Overlay replaces parts of the file in a stage. Mappings are merged key by
// key, everything else is replaced, and null removes a key.
type Overlay struct{ node ast.Node }

var stagesType = reflect.TypeFor[Stages]()

// Names returns the names of the stages, sorted.
func (s Stages) Names() []string { return slices.Sorted(maps.Keys(s)) }

// Program returns the application's name on its machines: that of users, services and
// folders. It is the same in all stages, so that an image can serve in each of them.
func (s *Spec) Program() string {
	if s.program == "" {
		return s.App
	}
	return s.program
}

// Title returns the application's name for people, with its stage: "shop-staging, stage
// staging".
func (s *Spec) Title() string {
	if s.Stage == "" {
		return s.App
	}
	return s.App + ", stage " + s.Stage
}

func (d *decoder) decodeStages(node ast.Node, into reflect.Value, path string) {
	pairs, ok := mappingPairs(node)
	if !ok {
		d.expected(node, path, "a mapping of stages to what differs in them")
		return
	}
	stages := Stages{}
	for _, pair := range pairs {
		name := pair.Key.GetToken().Value
		d.places[join(path, name)] = d.where(pair.Key)
		if !appPattern.MatchString(name) {
			d.reject(pair.Key, join(path, name), "for example: staging",
				"%q is not a name: use lower-case letters, digits and hyphens, a letter first", name)
		}
		stages[name] = Overlay{pair.Value}
	}
	into.Set(reflect.ValueOf(stages))
}

// chooseStage makes the spec that of a stage: "" if the file has none. It checks the form
// of the other stages too.
func (s *Spec) chooseStage(d *decoder, stage string) {
	if stage == "" {
		d.require(len(s.Stages) == 0, "stages", "name one with --stage: "+strings.Join(s.Stages.Names(), ", "),
			"the file has stages, and none of them is chosen")
	} else if _, ok := s.Stages[stage]; !ok {
		d.problems = append(d.problems, s.unknownStage(stage))
	}
	for _, name := range s.Stages.Names() {
		overlaid, on := *s, &decoder{
			file: d.file, places: maps.Clone(d.places), rejected: maps.Clone(d.rejected), overlay: true,
		}
		if name == stage {
			continue
		}
		on.decode(s.Stages[name].node, reflect.ValueOf(&overlaid).Elem(), "")
		d.problems = append(d.problems, on.problems...)
	}
	if overlay, ok := s.Stages[stage]; ok {
		s.overlay(d, stage, overlay)
	}
}

// overlay applies the overlay of a stage.
func (s *Spec) overlay(d *decoder, stage string, overlay Overlay) {
	if !d.written("app") {
		s.App = appName(s.Dir)
	}
	place := d.places["app"]
	d.places["app"] = d.places["stages."+stage]
	s.Stage, s.program = stage, s.App
	s.App = s.program + "-" + stage
	d.overlay = true
	d.decode(overlay.node, reflect.ValueOf(s).Elem(), "")
	d.overlay = false
	d.require(ValidApp(s.program), "app", "for example: app: shop-api", "%q in %s is not a name", s.program, place)
}

func (s *Spec) unknownStage(stage string) *diag.Diagnostic {
	problem := &diag.Diagnostic{Where: "--stage " + stage, Summary: "is not a stage of " + FileName}
	names := s.Stages.Names()
	problem.Hint = "its stages: " + strings.Join(names, ", ")
	if near := Nearest(stage, names); near != "" {
		problem.Hint = "did you mean " + near + "? " + problem.Hint
	}
	if len(names) == 0 {
		problem.Hint = "it has none: add stages: {" + stage + ": {}}, or leave --stage out"
	}
	return problem
}

// remove makes the value at a path absent.
func (d *decoder) remove(into reflect.Value, path string) {
	into.SetZero()
	maps.DeleteFunc(d.places, func(other, _ string) bool {
		return other == path || strings.HasPrefix(other, path+".") || strings.HasPrefix(other, path+"[")
	})
}
