//go:build linux && root

// Package domain tests names and HTTPS on real machines.
package domain

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"aloft.dev/aloft/test/program"
)

// server answers requests with the load balancer's description of them. Perl is in the base
// image.
const server = `use strict; use IO::Socket::INET; $SIG{CHLD} = 'IGNORE'; $SIG{PIPE} = 'IGNORE';
my $l = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 512, ReuseAddr => 1) or die $!;
while (my $c = $l->accept) {
  next if fork;
  while (1) {
    my ($head, $proto) = ('', 'none');
    while (my $line = <$c>) {
      $proto = $1 if $line =~ /^x-forwarded-proto: (\w+)/i;
      $head .= $line;
      last if $line eq "\r\n";
    }
    exit unless $head =~ /\r\n\r\n\z/;
    my $body = "over $proto";
    print $c "HTTP/1.1 200 OK\r\nContent-Length: " . length($body) . "\r\n\r\n$body"; $c->flush;
  }
}
`

// site is an application with a domain.
type site struct {
	*program.LocalCloud
	dir string
}

// spec writes the spec with more lines.
func (s *site) spec(t *testing.T, more string) {
	t.Helper()
	text := program.SmallSpec("shop", "debian-12", more, "perl server.pl")
	program.Write(t, filepath.Join(s.dir, "aloft.yaml"), text)
}

// TestRealDomain gives a running application a domain, another one, and none.
func TestRealDomain(t *testing.T) {
	s := &site{program.Start(t), t.TempDir()}
	program.Write(t, filepath.Join(s.dir, "server.pl"), server)
	for _, name := range []string{"example.localhost", "example.test"} {
		if _, err := s.API.DNS.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{
			Name: &name, CallerReference: &name,
		}); err != nil {
			t.Fatal(err)
		}
	}
	s.spec(t, "")
	s.Must(t, "up", s.dir)
	plain := s.Status(t, s.dir).URL

	t.Run("no request is lost while HTTPS is added", func(t *testing.T) {
		stop := program.UnderLoad(t, plain)
		s.spec(t, "domain: [api.example.localhost, api.example.test]\nhsts: true")
		s.Must(t, "up", s.dir)
		stop()
	})
	t.Run("curl opens the name and is redirected to it", s.fromHost)
	t.Run("a machine in the VPC opens the name", s.fromMachine)
	t.Run("this computer trusts the authority until it is removed", s.trust)
	t.Run("no request is lost while the name changes", s.rename)
	t.Run("nothing of the domain is left", s.away)
}

// root is the certificate that hosts may trust.
func (s *site) root() string { return filepath.Join(s.State, "authority.pem") }

// curl runs curl and returns what it prints.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	always := []string{"--silent", "--show-error", "--fail", "--max-time", "10"}
	return program.Exec(t, "curl", append(always, args...)...)
}

func (s *site) fromHost(t *testing.T) {
	status := s.Status(t, s.dir)
	if want := "https://api.example.localhost"; status.URL != want {
		t.Errorf("URL is %s, want %s", status.URL, want)
	}
	answer := curl(t, "--cacert", s.root(), "--include", status.URL+"/")
	if !strings.Contains(answer, "over https") ||
		!strings.Contains(strings.ToLower(answer), "strict-transport-security: max-age=31536000") {
		t.Errorf("HTTPS answers:\n%s", answer)
	}
	to := curl(t, "--cacert", s.root(), "--write-out", "%{http_code} %{redirect_url}", "--output", os.DevNull,
		"http://api.example.localhost:8080/a?b=c")
	if want := "301 https://api.example.localhost:443/a?b=c"; to != want {
		t.Errorf("HTTP answers %s, want %s", to, want)
	}
	if out, err := exec.Command("curl", "--silent", "--max-time", "10", status.URL).CombinedOutput(); err == nil {
		t.Errorf("a client that does not trust the authority opens the name: %s", out)
	}
	s.Must(t, "verify", s.dir)
}

func (s *site) fromMachine(t *testing.T) {
	ca, err := os.ReadFile(s.root())
	if err != nil {
		t.Fatal(err)
	}
	machine := s.Status(t, s.dir).Machines[0].PublicIP
	// curl itself resolves names under localhost, so the machine uses the other name.
	answer := s.OpenSSH(t, "shop", machine, "cat > /tmp/ca.pem <<'END'\n"+string(ca)+"END\n"+
		"curl --silent --show-error --max-time 10 --cacert /tmp/ca.pem https://api.example.test/")
	if answer != "over https" {
		t.Errorf("the machine gets %s", answer)
	}
}

// trust runs in a mount namespace whose stores are copies.
func (s *site) trust(t *testing.T) {
	script := `set -e
copy=$(mktemp -d); mount -t tmpfs tmpfs $copy
cp -a /etc/ssl $copy/ssl; mkdir $copy/ca
mount --bind $copy/ssl /etc/ssl; mount --bind $copy/ca /usr/local/share/ca-certificates
aloft local trust; aloft local trust
curl --silent --show-error --max-time 10 https://api.example.localhost/; echo
aloft local trust --remove
if curl --silent --max-time 10 https://api.example.localhost/; then echo still trusted; exit 1; fi
umount /etc/ssl /usr/local/share/ca-certificates; umount $copy; rmdir $copy`
	script = strings.ReplaceAll(script, "aloft local", s.Binary+" --state-dir "+s.State+" local")
	c := exec.CommandContext(t.Context(), "unshare", "--mount", "bash", "-c", script)
	c.Env = append(os.Environ(), "HOME="+s.Home)
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "over https") || strings.Count(string(out), "was added to") != 1 ||
		!strings.Contains(string(out), "was removed from") {
		t.Errorf("%v\n%s", err, out)
	}
}

func (s *site) rename(t *testing.T) {
	ca, err := os.ReadFile(s.root())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	stop := program.UnderLoadTrusting(t, "https://api.example.localhost", roots)
	s.spec(t, "domain: [api.example.localhost, shop.example.localhost]\nhsts: true")
	s.Must(t, "up", s.dir)
	stop()
	if got := curl(t, "--cacert", s.root(), "https://shop.example.localhost/"); got != "over https" {
		t.Errorf("the new name answers %s", got)
	}
}

func (s *site) away(t *testing.T) {
	s.Must(t, "down", s.dir, "--yes", "--images")
	zones, err := s.API.DNS.ListHostedZones(t.Context(), &route53.ListHostedZonesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range zones.HostedZones {
		if n := aws.ToInt64(zone.ResourceRecordSetCount); n != 2 {
			t.Errorf("the zone %s has %d record sets, want its own 2", aws.ToString(zone.Name), n)
		}
	}
	certificates, err := s.API.ACM.ListCertificates(t.Context(), &acm.ListCertificatesInput{})
	if err != nil || len(certificates.CertificateSummaryList) > 0 {
		t.Errorf("certificates: %+v, %v", certificates, err)
	}
	s.NothingTagged(t, "shop")
}
