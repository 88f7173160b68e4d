package api

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// from is a request that came over a connection, with what proxies said of it.
func from(peer string, said ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = peer
	for _, line := range said {
		r.Header.Add("X-Forwarded-For", line)
	}
	return r
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	ours := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, one := range map[string]struct {
		proxies proxies
		request *http.Request
		want    string
	}{
		"without proxies nobody is believed": {
			nil, from("10.0.0.1:1", "198.51.100.7"), "10.0.0.1",
		},
		"a stranger is not believed": {
			ours, from("203.0.113.9:1", "198.51.100.7"), "203.0.113.9",
		},
		"a proxy says who asked": {
			ours, from("10.0.0.1:1", "198.51.100.7"), "198.51.100.7",
		},
		"what the client said before the proxy counts for nothing": {
			ours, from("10.0.0.1:1", "192.0.2.1, 127.0.0.1, 198.51.100.7"), "198.51.100.7",
		},
		"a proxy behind a proxy is passed over": {
			ours, from("10.0.0.1:1", "192.0.2.1, 198.51.100.7", "10.9.9.9"), "198.51.100.7",
		},
		"proxies alone: the first of them": {
			ours, from("10.0.0.1:1", "10.0.0.3, 10.0.0.2"), "10.0.0.3",
		},
		"a proxy that says nothing asks for itself": {ours, from("10.0.0.1:1"), "10.0.0.1"},
		"what cannot be read ends the trust": {
			ours, from("10.0.0.1:1", "198.51.100.7, unknown, 10.0.0.2"), "10.0.0.2",
		},
		"an empty word is no address": {
			ours, from("10.0.0.1:1", "198.51.100.7, "), "10.0.0.1",
		},
		"ports are left out": {
			ours, from("10.0.0.1:1", "198.51.100.7:4711"), "198.51.100.7",
		},
		"IPv6 with a port": {
			ours, from("[fd00::1]:1", "[2001:db8::7]:4711"), "2001:db8::7",
		},
		"IPv4 written as IPv6 is IPv4": {
			ours, from("[::ffff:10.0.0.1]:1", "::ffff:198.51.100.7"), "198.51.100.7",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, one.want, one.proxies.client(one.request))
		})
	}
}

func TestWhoIsCountedUnderAnAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"198.51.100.7": "198.51.100.7", "::ffff:198.51.100.7": "::ffff:198.51.100.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64",
		"2001:db8:1:3::9": "2001:db8:1:3::/64", "": "",
	} {
		require.Equal(t, want, network(address), address)
	}
}
