package runcommand

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"aloft.dev/aloft/internal/cloud/store"
)

// reply is an agent's report about a command.
type reply struct {
	DocumentStatus      string                  `json:"documentStatus"`
	DocumentTraceOutput string                  `json:"documentTraceOutput"`
	RuntimeStatus       map[string]pluginStatus `json:"runtimeStatus"`
}

// pluginStatus is the outcome of a plugin.
type pluginStatus struct {
	Status         string `json:"status"`
	Code           int32  `json:"code"`
	Output         string `json:"output"`
	StartDateTime  string `json:"startDateTime"`
	EndDateTime    string `json:"endDateTime"`
	StandardOutput string `json:"standardOutput"`
	StandardError  string `json:"standardError"`
}

// finalDetails are the details of an invocation by the final status that an agent reports.
var finalDetails = map[string]string{
	Success: Success, Failed: Failed, TimedOut: ExecutionTimedOut, Cancelled: Cancelled,
}

// Reply returns an invocation after its agent has reported payload. An invocation that has
// ended stays as it is.
func Reply(i *store.CommandInvocation, payload string, now time.Time) (*store.CommandInvocation, error) {
	var r reply
	if err := json.Unmarshal([]byte(payload), &r); err != nil {
		return nil, fmt.Errorf("read the reply: %w", err)
	}
	if Ended(i) {
		return i, nil
	}
	details, final := finalDetails[r.DocumentStatus]
	switch {
	case r.DocumentStatus == InProgress:
		return started(i), nil
	case !final:
		return nil, errors.New("read the reply: the document status " + r.DocumentStatus + " is unknown")
	}
	plugin, ok := r.RuntimeStatus[Plugin]
	if !ok { // the document did not run
		plugin = pluginStatus{Code: 1, StandardError: r.DocumentTraceOutput, Output: r.DocumentTraceOutput}
	}
	ended := end(i, r.DocumentStatus, details)
	ended.Sent, ended.Acknowledged = true, true
	ended.Code = plugin.Code
	ended.Started, ended.Ended = at(plugin.StartDateTime, now), at(plugin.EndDateTime, now)
	ended.Stdout, ended.Stderr = first(plugin.StandardOutput, maxStdout), first(plugin.StandardError, maxStderr)
	ended.Output = first(plugin.Output, maxOutput)
	return ended, nil
}

// started returns an invocation that its agent has taken on.
func started(i *store.CommandInvocation) *store.CommandInvocation {
	if i.Status != Pending {
		return i
	}
	running := end(i, InProgress, InProgress)
	running.Sent = true
	return running
}

// Acknowledge returns an invocation whose agent has taken a message on: the one that cancels
// the invocation, or the one with the command. It reports whether the agent shall still obey.
func Acknowledge(i *store.CommandInvocation, cancels bool) (row *store.CommandInvocation, obey bool) {
	switch {
	case cancels:
		taken := *i
		taken.CancelTaken = true
		return &taken, true
	case Ended(i), i.Status == Cancelling && !i.Acknowledged:
		return i, false
	}
	taken := *started(i)
	taken.Acknowledged = true
	return &taken, true
}

// Fail returns an invocation whose agent cannot read a message.
func Fail(i *store.CommandInvocation, cancels bool) *store.CommandInvocation {
	if cancels || Ended(i) {
		row, _ := Acknowledge(i, cancels)
		return row
	}
	return end(i, Failed, Failed)
}

// Cancel returns an invocation that a user has cancelled. id is that of a new message.
func Cancel(i *store.CommandInvocation, id string, now time.Time) *store.CommandInvocation {
	switch {
	case Ended(i), i.Status == Cancelling:
		return i
	case !i.Acknowledged && !i.VisibleAt.After(now): // no agent has it
		return end(i, Cancelled, Cancelled)
	}
	cancelling := end(i, Cancelling, Cancelling)
	cancelling.CancelID, cancelling.CancelAt = id, now
	return cancelling
}

// at returns a time of a reply, which is in ISO 8601, or otherwise now.
func at(text string, now time.Time) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return now
	}
	return t.UTC()
}

// first returns the first characters of a text.
func first(text string, most int) string {
	if len(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(slices.Clip(runes[:min(most, len(runes))]))
}
