package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// certificate makes one for 127.0.0.1, signed by itself.
func certificate(t testing.TB, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "koprogo"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	name := filepath.Join(dir, uuid.NewString())
	for suffix, block := range map[string]*pem.Block{
		".cert": {Type: "CERTIFICATE", Bytes: cert}, ".key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		require.NoError(t, os.WriteFile(name+suffix, pem.EncodeToMemory(block), 0o600))
	}
	return name + ".cert", name + ".key"
}

func TestServerWithCertificateSpeaksHTTPS(t *testing.T) {
	t.Parallel()
	dir, token := devDir(t)
	certFile, keyFile := certificate(t, dir)
	s := dev(t, dir, "TLS_CERT_FILE="+certFile, "TLS_KEY_FILE="+keyFile)
	require.Contains(t, s.url, "https://127.0.0.1:")
	text, err := os.ReadFile(certFile)
	require.NoError(t, err)
	trusted := x509.NewCertPool()
	require.True(t, trusted.AppendCertsFromPEM(text))
	c := s.with(token)
	c.http.Transport = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true,
	}
	made, _ := c.register(t, "Résidence chiffrée")
	found, _ := c.buildings(t)
	require.Equal(t, []building{made}, found)

	_, err = s.with(token).try(t.Context(), http.MethodGet, "/buildings", nil)
	require.ErrorContains(t, err, "certificate", "nobody else signed for it")
	s.stop(t)
}
