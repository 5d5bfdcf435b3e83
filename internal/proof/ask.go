package proof

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// askTimeout is how long a service may take to answer once.
const askTimeout = 5 * time.Second

// balancerIdle is how long the load balancer keeps an idle connection, in seconds
// (Elastic Load Balancing User Guide, "Connection idle timeout"). If the application
// closes it earlier, a request that is on its way then ends with 502.
const balancerIdle = 60

// maxBody bounds what is read of an answer.
const maxBody = 1 << 20

// answer is a status code, or why there was none.
type answer struct {
	status int
	err    error
}

// ask requests a path at an address of the machine.
func (k *check) ask(ctx context.Context, address, path string) answer {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	conn, err := k.host.DialContext(ctx, "tcp", k.at(address))
	if err != nil {
		return answer{err: dialError(err)}
	}
	defer func() { _ = conn.Close() }()
	cut := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer cut()
	response, err := k.request(ctx, conn, bufio.NewReader(conn), address, path)
	switch {
	case ctx.Err() != nil:
		return answer{err: fmt.Errorf("no answer within %s", askTimeout)}
	case err != nil:
		return answer{err: dialError(err)}
	}
	return answer{status: response.status}
}

// reply holds the relevant parts of an HTTP response.
type reply struct {
	status    int
	closes    bool   // the connection ends with it
	keepAlive string // header
}

// request sends a request over a connection, and reads the whole answer.
func (k *check) request(
	ctx context.Context, to io.Writer, from *bufio.Reader, address, path string,
) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+k.at(address)+path, http.NoBody)
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("User-Agent", "ELB-HealthChecker/2.0") // as the load balancer's checks have
	if err := request.Write(to); err != nil {
		return reply{}, err
	}
	response, err := http.ReadResponse(from, request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	return reply{response.StatusCode, response.Close, response.Header.Get("Keep-Alive")}, err
}

var announcedIdle = regexp.MustCompile(`timeout=(\d+)`)

// keepsIdle returns for how many seconds the service keeps an idle connection, or -1 if
// that is not known: it closes each connection after its answer, or has not closed it
// within the watch and announced no time. Node.js announces it in a Keep-Alive header.
func (k *check) keepsIdle(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, k.Watch)
	defer cancel()
	conn, err := k.host.DialContext(ctx, "tcp", k.at(k.address))
	if err != nil {
		return -1
	}
	defer func() { _ = conn.Close() }()
	cut := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer cut()
	from := bufio.NewReader(conn)
	response, err := k.request(ctx, conn, from, k.address, k.Path)
	if err != nil || response.closes {
		return -1
	}
	if found := announcedIdle.FindStringSubmatch(response.keepAlive); found != nil {
		seconds, err := strconv.Atoi(found[1])
		if err != nil {
			return -1
		}
		return seconds
	}
	idle := time.Now()
	_, _ = from.ReadByte() // returns when the service or the context closes the connection
	if ctx.Err() != nil {
		return -1
	}
	return int(time.Since(idle).Round(time.Second).Seconds())
}

// noteIdle warns of a service that closes idle connections before the load balancer.
func (k *check) noteIdle(seconds int) {
	if seconds < 0 || seconds > balancerIdle {
		return
	}
	k.Note(fmt.Sprintf("the application closes idle connections after %d s, and the load balancer keeps them for "+
		"%d s: requests may end with 502; in Node.js set server.keepAliveTimeout = 65000 and "+
		"server.headersTimeout = 66000", seconds, balancerIdle))
}
