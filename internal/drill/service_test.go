package drill

import "testing"

func TestServiceScriptsRepairWhatTheyBreak(t *testing.T) {
	for experiment, want := range map[Experiment][2]string{
		App: {"systemctl stop aloft-shop.service", "systemctl start aloft-shop.service"},
		Freeze: {
			"systemctl kill -s STOP aloft-shop.service",
			"systemctl kill -s CONT aloft-shop.service || systemctl start aloft-shop.service",
		},
	} {
		breaks, repairs := serviceScripts(experiment, "shop")
		if breaks != want[0] || repairs != want[1] {
			t.Errorf("%s: got %q and %q", experiment, breaks, repairs)
		}
	}
}
