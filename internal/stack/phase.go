package stack

// Phase is a stage of bringing a release into service. Each phase has its own
// stack; applying the stacks in order brings the release into service.
type Phase string

// The phases. If nothing serves yet, they are PhaseFirst and PhaseServe. If
// something serves, they are PhaseBuild (if there is no image), PhaseProve and
// PhaseServe. Only PhaseServe changes what serves.
const (
	// PhaseFirst is the whole stack. The release is built on the first server; or
	// on the builder, if that has a type of its own or the servers are an Auto Scaling
	// group's.
	PhaseFirst Phase = ""
	// PhaseBuild is a partial stack: the builder and the image made from it.
	PhaseBuild Phase = "build"
	// PhaseProve is a partial stack: the candidate, an instance of the image.
	PhaseProve Phase = "prove"
	// PhaseServe is the whole stack, with all servers launched from the image.
	PhaseServe Phase = "serve"
)

// String returns the phase's name.
func (p Phase) String() string {
	if p == PhaseFirst {
		return "first"
	}
	return string(p)
}
