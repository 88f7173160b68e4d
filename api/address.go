package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are the networks of the reverse proxies in front of the server. What they say of a
// request's origin is believed; what anybody else says is not.
type proxies []netip.Prefix

const forwardedHeader = "X-Forwarded-For"

// client is where a request came from: the peer of the connection, or, where that is a proxy, the
// last address of X-Forwarded-For that is none of ours. Everything before it is the client's own
// word. A proxy that says nothing, or nothing readable, is itself the client.
func (p proxies) client(r *http.Request) string {
	peer := peerAddress(r)
	if len(p) == 0 {
		return peer
	}
	at, err := netip.ParseAddr(peer)
	if err != nil || !p.trust(at) {
		return peer
	}
	said := strings.Split(strings.Join(r.Header[forwardedHeader], ","), ",")
	for _, hop := range slices.Backward(said) {
		before, ok := readHop(hop)
		if !ok {
			break
		}
		at = before
		if !p.trust(at) {
			break
		}
	}
	return at.Unmap().WithZone("").String()
}

func (p proxies) trust(at netip.Addr) bool {
	at = at.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(at) })
}

// readHop reads an address as proxies write it, with a port or without one.
func readHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr(), true
	}
	at, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return at, err == nil
}

// peerAddress is the other end of the connection, without its port.
func peerAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// subscriber is the part of an IPv6 address that whoever has one connection cannot choose.
const subscriber = 64

// network names who is counted under an address: of IPv6 its network of 64 bits, since one client
// has all the addresses in it.
func network(address string) string {
	at, err := netip.ParseAddr(address)
	if err != nil || at.Unmap().Is4() {
		return address
	}
	return netip.PrefixFrom(at.WithZone(""), subscriber).Masked().String()
}
