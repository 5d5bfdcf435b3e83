package resource

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"aloft.dev/aloft/internal/diag"
	"aloft.dev/aloft/internal/plan"
)

const (
	// evidenceLimit is how long collecting evidence may take.
	evidenceLimit = 45 * time.Second
	// consoleLines is how many lines of the console are shown.
	consoleLines = 4
)

// Evidence returns lines that show why an instance does not serve: its health, the
// state of its service, the application's last output, and the end of its console.
// They fit on a screen. What cannot be read is omitted.
func (p *Provisioner) Evidence(ctx context.Context, f plan.Found) []string {
	ctx, cancel := context.WithTimeout(ctx, evidenceLimit)
	defer cancel()
	var lines []string
	if reason := f.Status.HealthReason; reason != "" {
		lines = append(lines, fmt.Sprintf("target of %s: %s, %s", f.Name, f.Status.Health, reason))
	}
	err := p.silent().withSSH(ctx, f, func(m Machine) error {
		examined, err := p.Builder.Examine(ctx, m)
		lines = append(lines, examined...)
		return err
	})
	if err != nil {
		lines = append(lines, fmt.Sprintf("%s cannot be examined: %v", f.Name, err))
	}
	console, err := p.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &f.ID})
	if err != nil {
		return lines
	}
	for _, line := range consoleTail(aws.ToString(console.Output)) {
		lines = append(lines, "console: "+line)
	}
	return lines
}

// consoleTail returns the last lines of the output of GetConsoleOutput, which is
// encoded in base64, without the host keys.
func consoleTail(output string) []string {
	text, err := base64.StdEncoding.DecodeString(output)
	if err != nil {
		return nil
	}
	var lines []string
	inKeys := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(diag.Printable(line))
		switch {
		case strings.Contains(line, keysBegin):
			inKeys = true
		case strings.Contains(line, keysEnd):
			inKeys = false
		case !inKeys && line != "":
			lines = append(lines, line)
		}
	}
	return slices.Clone(lines[max(0, len(lines)-consoleLines):])
}
