package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
)

// transports makes the connections of a client, by its kind; no two clients share one.
var transports = map[string]func(*rest.Config) (http.RoundTripper, error){
	// A connection per request, as kubectl has.
	"fresh": func(config *rest.Config) (http.RoundTripper, error) { return perRequest(config, false) },
	// One HTTP/2 connection, as client-go keeps it: pings after 30 s of silence, given up after 15.
	"kept": func(config *rest.Config) (http.RoundTripper, error) { return keptAlive(config) },
	// As kept, pinged after 5 s of silence and given up after 3: client-go reads its environment.
	"pinging": func(config *rest.Config) (http.RoundTripper, error) {
		defer setenv("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "5")()
		defer setenv("HTTP2_PING_TIMEOUT_SECONDS", "3")()
		return keptAlive(config)
	},
	// A connection per request, to the balancer's next address after a second without one.
	"next": func(config *rest.Config) (http.RoundTripper, error) { return perRequest(config, true) },
	// One HTTP/1.1 connection.
	"http1": func(config *rest.Config) (http.RoundTripper, error) {
		return keptAlive(config, "http/1.1")
	},
}

const (
	dialTimeout      = 30 * time.Second // of client-go
	handshakeTimeout = 10 * time.Second // of client-go
	nextAfter        = time.Second
	roundPause       = 100 * time.Millisecond
)

var dialer = &net.Dialer{Timeout: dialTimeout, KeepAlive: dialTimeout}

// keptAlive is client-go's own transport.
func keptAlive(config *rest.Config, protocols ...string) (http.RoundTripper, error) {
	own := rest.CopyConfig(config)
	own.NextProtos = protocols
	// client-go shares connections between equal configurations; one with a dialer equals none.
	own.Dial = dialer.DialContext
	return rest.TransportFor(own)
}

// perRequest is client-go's transport, but that it keeps no connection.
func perRequest(config *rest.Config, next bool) (http.RoundTripper, error) {
	trust, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	transport := utilnet.SetTransportDefaults(&http.Transport{
		TLSHandshakeTimeout: handshakeTimeout,
		TLSClientConfig:     trust,
		DialContext:         dialer.DialContext,
		DisableKeepAlives:   true,
	})
	if next {
		transport.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			// The transport goes on dialing when the request has been given up.
			ctx, cancel := context.WithTimeout(ctx, config.Timeout)
			defer cancel()
			return dialNext(ctx, transport.TLSClientConfig, network, address)
		}
	}
	return transport, nil
}

// dialNext tries one address of a name after the other, a second each, until the context ends.
func dialNext(ctx context.Context, trust *tls.Config, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	own := trust.Clone()
	own.ServerName = cmp.Or(own.ServerName, host)
	secure := &tls.Dialer{NetDialer: dialer, Config: own}
	for {
		var addresses []string
		addresses, err = net.DefaultResolver.LookupHost(ctx, host)
		for _, one := range addresses {
			attempt, cancel := context.WithTimeout(ctx, nextAfter)
			var connection net.Conn
			connection, err = secure.DialContext(attempt, network, net.JoinHostPort(one, port))
			cancel()
			if err == nil {
				return connection, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(roundPause):
		}
	}
}

// setenv sets a variable until the function that it returns is called.
func setenv(name, value string) func() {
	before, was := os.LookupEnv(name)
	os.Setenv(name, value)
	return func() {
		if was {
			os.Setenv(name, before)
		} else {
			os.Unsetenv(name)
		}
	}
}
