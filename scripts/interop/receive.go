// A server by go-smtp that takes everything: receive CERT KEY USER PASSWORD. It prints its port.
package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/emersion/go-smtp"
)

type backend struct{ user, password string }

func (b backend) Login(_ *smtp.ConnectionState, user, password string) (smtp.Session, error) {
	if user != b.user || password != b.password {
		return nil, errors.New("wrong")
	}
	return session{}, nil
}

func (backend) AnonymousLogin(*smtp.ConnectionState) (smtp.Session, error) { return session{}, nil }

type session struct{}

func (session) Reset()                              {}
func (session) Logout() error                       { return nil }
func (session) Mail(string, smtp.MailOptions) error { return nil }
func (session) Rcpt(string) error                   { return nil }
func (session) Data(content io.Reader) error {
	_, err := io.Copy(io.Discard, content)
	return err
}

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := smtp.NewServer(backend{os.Args[3], os.Args[4]})
	server.Domain = "peer.example"
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.EnableSMTPUTF8 = true
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(server.Serve(listener))
}
