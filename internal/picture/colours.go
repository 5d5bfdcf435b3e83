package picture

import "aloft.dev/aloft/internal/load"

// Colours of the parts that every picture has.
const (
	ink      = "#24292f" // texts
	Faint    = "#6b7280" // labels
	Hairline = "#e5e7eb"

	axis       = "#9ca3af"
	background = "#ffffff"
)

// kindColours are the colours of requests by how they ended. Failures have warm
// colours; requests that show nothing of the servers have cold ones.
var kindColours = map[load.Kind]string{
	load.OK:             "#b7dcc3",
	load.Timeout:        "#9a1b1b",
	load.Reset:          "#d9480f",
	load.Refused:        "#f08c00",
	load.BadGateway:     "#e03131",
	load.Unavailable:    "#ff6b6b",
	load.GatewayTimeout: "#c2255c",
	load.ServerError:    "#f783ac",
	load.ClientError:    "#ffc078",
	load.DNS:            "#7048e8",
	load.Unsent:         "#adb5bd",
	load.Other:          "#495057",
}
