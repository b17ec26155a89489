// Package pki makes the cluster's certificates and kubeconfigs.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Spec says whom the certificates are for.
type Spec struct {
	Dir       string
	Server    string // the API's URL
	Node      string
	Addresses []net.IP
}

// Make writes what is asked for, once: complete marks the end.
func Make(s Spec) error {
	complete := filepath.Join(s.Dir, "complete")
	if _, err := os.Stat(complete); err == nil {
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	cluster, err := newAuthority(s.Dir, "ca")
	if err != nil {
		return err
	}
	front, err := newAuthority(s.Dir, "front-proxy-ca")
	if err != nil {
		return err
	}
	service := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	err = errors.Join(
		cluster.issue("apiserver", subject("kube-apiserver"), service, s.Addresses),
		cluster.issue("kubelet-server", subject("system:node:"+s.Node, "system:nodes"), []string{s.Node}, s.Addresses),
		cluster.issue("apiserver-kubelet", subject("kube-apiserver-kubelet", "system:masters"), nil, nil),
		front.issue("front-proxy", subject("front-proxy"), nil, nil),
		signingKey(filepath.Join(s.Dir, "service-accounts.key")),
	)
	for name, who := range map[string]pkix.Name{
		"admin":              subject("admin", "system:masters"),
		"controller-manager": subject("system:kube-controller-manager"),
		"scheduler":          subject("system:kube-scheduler"),
		"kubelet":            subject("system:node:"+s.Node, "system:nodes"),
		"proxy":              subject("system:kube-proxy"),
	} {
		err = errors.Join(err, cluster.kubeconfig(name, s.Server, who))
	}
	if err != nil {
		return err
	}
	return os.WriteFile(complete, nil, 0o600)
}

func subject(name string, groups ...string) pkix.Name {
	return pkix.Name{CommonName: name, Organization: groups}
}

type authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(dir, name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t, err := template(subject(name))
	if err != nil {
		return nil, err
	}
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage |= x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{dir, cert, key}, write(dir, name, der, key)
}

func template(who pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      who,
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}, nil
}

// issue writes NAME.crt and NAME.key.
func (a *authority) issue(name string, who pkix.Name, hosts []string, addresses []net.IP) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t, err := template(who)
	if err != nil {
		return err
	}
	t.DNSNames, t.IPAddresses = hosts, addresses
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	return write(a.dir, name, der, key)
}

// kubeconfig writes NAME.kubeconfig, which needs no other file.
func (a *authority) kubeconfig(name, server string, who pkix.Name) error {
	if err := a.issue(name, who, nil, nil); err != nil {
		return err
	}
	cert, err := os.ReadFile(filepath.Join(a.dir, name+".crt"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(a.dir, name+".key"))
	if err != nil {
		return err
	}
	c := api.NewConfig()
	c.Clusters["shiplock"] = &api.Cluster{Server: server, CertificateAuthorityData: encode("CERTIFICATE", a.cert.Raw)}
	c.AuthInfos[name] = &api.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	c.Contexts["shiplock"] = &api.Context{Cluster: "shiplock", AuthInfo: name}
	c.CurrentContext = "shiplock"
	return clientcmd.WriteToFile(*c, filepath.Join(a.dir, name+".kubeconfig"))
}

func signingKey(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, encode("EC PRIVATE KEY", der), 0o600)
}

func write(dir, name string, cert []byte, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, name+".crt"), encode("CERTIFICATE", cert), 0o600),
		os.WriteFile(filepath.Join(dir, name+".key"), encode("EC PRIVATE KEY", der), 0o600),
	)
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
