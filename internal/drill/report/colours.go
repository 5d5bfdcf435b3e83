package report

// Colours of a drill's picture. Package picture has those of requests and of every
// picture.
const (
	insideColour  = "#1a7f4b"
	outsideColour = "#b42318"
	boundFill     = "#fff4d6"
	boundLine     = "#e0a800"
	boundText     = "#8a6500"
	momentColour  = "#57606a"
	p50Colour     = "#1d4ed8"
	p99Colour     = "#c2410c"
)

// targetColours are the colours of the servers.
var targetColours = []string{"#4c78a8", "#72b7b2", "#b79ad1", "#9ecae9", "#83bf6e", "#5b5ea6", "#c9d6df", "#2f9e8f"}
