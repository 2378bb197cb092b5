package main

import (
	"bufio"
	"errors"
	"net"
	"regexp"
	"strings"
	"time"
)

var variable = regexp.MustCompile(`\{([a-z-]+)\}`)
var replyLine = regexp.MustCompile(`^([2-5][0-9]{2})(?:([ -])(.*))?$`)

// One connection, with what is said, heard and known.
type session struct {
	conn           net.Conn
	reader         *bufio.Reader
	over, said     string
	refused, asked bool
	words          map[string]string
	keywords       []string
}

func dial() *session {
	conn, err := net.DialTimeout("tcp", server, patience)
	if err != nil {
		panic(stuck(err.Error()))
	}
	all := append(append([]string{}, to...), "Postmaster")
	first, second := all[0], all[len(to)/2]
	local, domain, _ := strings.Cut(first, "@")
	words := map[string]string{"hello": "EHLO", "name": "[" + conn.LocalAddr().(*net.TCPAddr).IP.String() + "]", "host": "localhost", "from": "<" + from + ">",
		"to": "<" + first + ">", "to-two": "<" + second + ">", "local": local, "domain": domain, "domain-upper": strings.ToUpper(domain), "nobody": "<no-such-user-c0nf0rm@" + domain + ">"}
	return &session{conn: conn, reader: bufio.NewReaderSize(conn, 1<<18), words: words}
}

// say sends octets, which are latin1 with variables in them, or parts of which some are repeated.
func (s *session) say(octets any, cut bool) {
	text := ""
	parts, ok := octets.([]any)
	if !ok {
		parts = list(octets)
	}
	for _, part := range parts {
		times := 1
		if repeated, ok := part.(object); ok {
			part, times = repeated["repeat"], int(repeated["times"].(float64))
		}
		text += strings.Repeat(variable.ReplaceAllStringFunc(part.(string), func(found string) string {
			if word, ok := s.words[found[1:len(found)-1]]; ok {
				return word
			}
			return found
		}), times)
	}
	s.asked = s.asked || strings.Contains(strings.ToUpper(text), "RCPT TO")
	bytes := []byte{}
	for _, octet := range text {
		bytes = append(bytes, byte(octet))
		if cut {
			s.conn.Write(bytes)
			bytes = nil
		}
	}
	s.conn.Write(bytes) // The next read tells what became of the connection.
}

// hear reads a reply: its code and lines, or what came in its place.
func (s *session) hear(wait time.Duration) (string, []string) {
	s.conn.SetReadDeadline(time.Now().Add(wait))
	for lines := []string{}; ; {
		text, err := s.reader.ReadString('\n')
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			return "silence", nil
		} else if err != nil {
			s.over = map[bool]string{true: "end", false: "reset"}[err.Error() == "EOF"]
			return s.over, nil
		}
		found := replyLine.FindStringSubmatch(strings.TrimRight(text, "\r\n"))
		if found == nil {
			return "malformed", []string{text}
		}
		lines = append(lines, found[3])
		if found[2] != "-" {
			s.said, s.refused = found[1], s.refused || found[1] >= "400"
			return found[1], lines
		}
	}
}

// stuck: a session does not come as far as a check begins.
type stuck string

// reach brings the session as far as a check begins.
func (s *session) reach(stage string) {
	commands := map[string]string{"hello": "{hello} {name}\r\n", "mail": "MAIL FROM:{from}\r\n", "rcpt": "RCPT TO:{to}\r\n", "data": "DATA\r\n"}
	for _, next := range []string{"connected", "greeted", "hello", "ready", "mail", "rcpt", "data"} {
		if command := commands[next]; command != "" || next == "greeted" {
			s.say(command, false)
			code, lines := s.hear(patience)
			if !fits(list("220", "25", "354"), code) {
				panic(stuck(next + " is answered by " + code))
			}
			if next == "greeted" {
				s.words["host"] = strings.Fields(lines[0] + " localhost")[0]
			} else if next == "hello" {
				s.keywords = lines[1:]
			}
		}
		if next == stage {
			return
		}
	}
}

func (s *session) leave() {
	if s.over == "" && s.said != "354" {
		s.say(map[bool]string{true: "RSET\r\nQUIT\r\n", false: "QUIT\r\n"}[s.asked], false)
		for code := ""; !fits(list("221", "421", "end", "reset", "silence"), code); code, _ = s.hear(time.Second) {
		}
	}
	s.conn.Close()
}
