//go:build linux

package dns

import (
	"context"
	"strings"

	"github.com/miekg/dns"
)

// maxChain is how many CNAMEs an answer follows at most.
const maxChain = 8

// answerHosted answers a query for a name of a hosted zone, and follows CNAMEs wherever
// they lead. It returns nil for other names.
func (r *Resolver) answerHosted(ctx context.Context, vpcID string, query *dns.Msg, tcp bool) *dns.Msg {
	if r.cfg.Hosted == nil {
		return nil
	}
	response, asked := new(dns.Msg).SetReply(query), query
	for step := range maxChain {
		q := asked.Question[0]
		answer, known := r.cfg.Hosted(vpcID, plainName(q.Name), dns.TypeToString[q.Qtype])
		if !known {
			if step == 0 {
				return nil
			}
			return r.appendAnswer(ctx, vpcID, response, asked, tcp)
		}
		records := parseRecords(answer.Records)
		for _, rr := range records {
			rr.Header().Name = q.Name
		}
		response.Answer = append(response.Answer, records...)
		if len(records) == 0 {
			if !answer.Exists {
				response.Rcode = dns.RcodeNameError
			}
			response.Ns = parseRecords([]string{answer.Authority})
			return response
		}
		alias, ok := records[0].(*dns.CNAME)
		if !ok || q.Qtype == dns.TypeCNAME {
			return response
		}
		asked = new(dns.Msg).SetQuestion(alias.Target, q.Qtype)
	}
	return response.SetRcode(query, dns.RcodeServerFailure)
}

// appendAnswer adds the answer for a name that a CNAME leads to.
func (r *Resolver) appendAnswer(ctx context.Context, vpcID string, response, asked *dns.Msg, tcp bool) *dns.Msg {
	rest := r.answerLocally(vpcID, asked)
	if rest == nil {
		var err error
		if rest, err = r.forward(ctx, asked, tcp); err != nil {
			response.Rcode = dns.RcodeServerFailure
			return response
		}
	}
	response.Answer = append(response.Answer, rest.Answer...)
	response.Ns, response.Rcode = rest.Ns, rest.Rcode
	return response
}

// plainName returns a question's name as functions of the configuration take it.
func plainName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// parseRecords parses records, which were validated when they were made.
func parseRecords(lines []string) []dns.RR {
	var out []dns.RR
	for _, line := range lines {
		if rr, err := dns.NewRR(line); err == nil && rr != nil {
			out = append(out, rr)
		}
	}
	return out
}
