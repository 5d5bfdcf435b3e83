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

	"aloft.dev/aloft/internal/event"
	"aloft.dev/aloft/internal/plan"
)

const (
	evidencePatience = 45 * time.Second
	consoleLines     = 4
)

// Evidence tells why a machine does not serve as it should: what the load
// balancer says of it, how its service is, what the application said last, and
// how its console ends. It fits a screen. What cannot be had is left out.
func (s *Site) Evidence(ctx context.Context, f plan.Found) []string {
	ctx, cancel := context.WithTimeout(ctx, evidencePatience)
	defer cancel()
	var lines []string
	if why := f.Status["health reason"]; why != "" {
		lines = append(lines, fmt.Sprintf("target of %s: %s, %s", f.Name, f.Status["health"], why))
	}
	// The reader has a story already; this is no part of it.
	quiet := &Site{
		Cloud:     s.Cloud,
		Keys:      s.Keys,
		BaseImage: s.BaseImage,
		Builder:   s.Builder,
		Egress:    s.Egress,
		Events:    func(event.Event) {},
		known:     s.known,
	}
	err := quiet.enter(ctx, f, func(m Machine) error {
		said, err := s.Builder.Examine(ctx, m)
		lines = append(lines, said...)
		return err
	})
	if err != nil {
		lines = append(lines, fmt.Sprintf("%s cannot be looked into: %v", f.Name, err))
	}
	console, err := s.EC2.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: &f.ID})
	if err != nil {
		return lines
	}
	for _, line := range consoleTail(aws.ToString(console.Output)) {
		lines = append(lines, "console: "+line)
	}
	return lines
}

// consoleTail gives the last lines of the output of GetConsoleOutput, in base64
// as EC2 gives it, without the host keys.
func consoleTail(output string) []string {
	text, err := base64.StdEncoding.DecodeString(output)
	if err != nil {
		return nil
	}
	var lines []string
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(strings.Map(printable, line))
		switch {
		case strings.Contains(line, keysBegin):
			inside = true
		case strings.Contains(line, keysEnd):
			inside = false
		case !inside && line != "":
			lines = append(lines, line)
		}
	}
	return slices.Clone(lines[max(0, len(lines)-consoleLines):])
}

// printable drops what could steer a terminal.
func printable(r rune) rune {
	if r < ' ' && r != '\t' || r == 0x7f {
		return -1
	}
	return r
}
