// Runs the wire checks of servers (test-vectors/wire/server) against a server in clear, with nothing but Go's own library.
//
//	go run wire.go session.go [-checks FOLDER] [-from ADDRESS] [-to A,B] HOST:PORT
//
// Checks that are about TLS, AUTH, SIZE or the form of replies as octets are skipped. Exit code: 0 no violation, 1 a violation, 69 no session.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

type object = map[string]any

var rank = []string{"conforms", "permitted", "inconclusive", "violates", "skipped"}
var from, server string
var to []string
var patience = 15 * time.Second

func list(of ...any) []any { return of }

func fits(patterns []any, token string) bool {
	for _, pattern := range patterns {
		isCode := token != "" && token[0] >= '0' && token[0] <= '9'
		if pattern == token || (isCode && (pattern == "*" || strings.HasPrefix(token, pattern.(string)))) {
			return true
		}
	}
	return false
}

// holds tells whether the lines of a reply are as a rule wants them.
func holds(rule string, want any, lines []string) bool {
	most, isNumber := want.(float64)
	if pattern, isText := want.(string); isText {
		expression, some, every := regexp.MustCompile("(?i)"+strings.ReplaceAll(pattern, "{extensions}", "")), false, true
		for i, line := range lines {
			if (rule != "first" || i == 0) && (rule != "rest" || i > 0) {
				some, every = some || expression.MatchString(line), every && expression.MatchString(line)
			}
		}
		return map[string]bool{"some": some, "none": !some, "first": every, "rest": every, "every": every}[rule]
	}
	return !isNumber || len(lines) <= int(most)
}

// judge gives what it means that this came: an answer as the checks have them.
func judge(step object, s *session, code string, lines []string) object {
	if fits(step["expect"].([]any), code) {
		rules, _ := step["text"].(object)
		for rule, want := range rules {
			if other, ok := rules["else"].(object); !holds(rule, want, lines) && ok {
				return other
			} else if !holds(rule, want, lines) {
				return object{"verdict": "violates", "because": "the reply breaks the rule " + rule}
			}
		}
		return object{"verdict": "conforms"}
	}
	also, _ := step["also"].([]any)
	for _, one := range append(also, object{"answers": list("421", "530", "534", "538", "4"), "verdict": "inconclusive", "because": "it is not answered now"}) {
		if other := one.(object); fits(other["answers"].([]any), code) {
			return other
		}
	}
	if (code == "silence" && step["within"] == nil) || (s.refused && (code == "end" || code == "reset")) {
		return object{"verdict": "inconclusive", "because": "no answer in time, or closed behind a refusal: " + code}
	}
	return object{"verdict": "violates", "because": fmt.Sprintf("expected %v, got %s", step["expect"], code)}
}

func run(check object, s *session) (string, any) {
	labels, worst, because := map[any]bool{}, 0, any(nil)
	for _, one := range check["steps"].([]any) {
		step := one.(object)
		if (step["if"] != nil && !labels[step["if"]]) || labels[step["unless"]] {
			continue
		}
		if octets, ok := step["send"]; ok {
			s.say(octets, step["cut"] == "octets")
		} else if ms, ok := step["wait"].(float64); ok {
			time.Sleep(time.Duration(ms) * time.Millisecond)
		} else if step["do"] == "end" {
			s.conn.(interface{ CloseWrite() error }).CloseWrite()
		}
		times, _ := step["times"].(float64)
		for i := 0; step["expect"] != nil && (i == 0 || i < int(times)); i++ {
			wait := patience
			if within, ok := step["within"].(float64); ok {
				wait = time.Duration(within) * time.Millisecond
			}
			code, lines := s.hear(wait)
			answer := judge(step, s, code, lines)
			labels[answer["as"]] = answer["as"] != nil
			for i, verdict := range rank {
				if verdict == answer["verdict"] && i > worst {
					worst, because = i, answer["because"]
				}
			}
			if answer["stop"] == true || worst > 1 {
				return rank[worst], because
			}
		}
	}
	return rank[worst], because
}

// unmet tells whether a precondition of a check does not hold here, or it asks for what is not in this runner.
func unmet(check object, keywords []string) bool {
	offers := func(wanted any) bool {
		return strings.Contains("\n"+strings.Join(keywords, "\n")+"\n", "\n"+wanted.(string)+"\n")
	}
	needs, _ := check["needs"].(object)
	wanted, _ := needs["keywords"].([]any)
	unwanted, _ := needs["absent"].([]any)
	recipients, _ := needs["to"].(float64)
	text, _ := json.Marshal(check)
	missing := len(to) < int(recipients) || (needs["from"] == true && from == "") || !fits(check["for"].([]any), "smtp")
	for _, keyword := range append(wanted, unwanted...) {
		missing = missing || strings.Contains(keyword.(string), " ")
	}
	for _, keyword := range wanted {
		missing = missing || !offers(keyword)
	}
	for _, keyword := range unwanted {
		missing = missing || offers(keyword)
	}
	return missing || regexp.MustCompile(`"form":|"do":"(secure|reset)"|"(user|slow|size)":true|"tls":"(active|starttls)"`).Match(text)
}

// examine runs a check over a connection of its own.
func examine(check object) (verdict string, because any) {
	s := dial()
	defer s.leave()
	defer func() {
		if reason, ok := recover().(stuck); ok {
			verdict, because = "inconclusive", reason
		}
	}()
	s.reach(check["begin"].(string))
	return run(check, s)
}

func main() {
	folder := flag.String("checks", "test-vectors/wire/server", "where the checks are")
	recipients := flag.String("to", "", "addresses that take mail, with commas between")
	flag.StringVar(&from, "from", "", "the sender")
	flag.Parse()
	server = flag.Arg(0)
	if *recipients != "" {
		to = strings.Split(*recipients, ",")
	}
	defer func() {
		if reason, ok := recover().(stuck); ok {
			fmt.Fprintln(os.Stderr, "no session:", reason)
			os.Exit(69)
		}
	}()
	s := dial()
	s.reach("ready")
	s.leave()
	counts := map[string]int{}
	files, _ := filepath.Glob(filepath.Join(*folder, "*.json"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		var content struct{ Checks []object }
		if err := json.Unmarshal(text, &content); err != nil {
			panic(file + ": " + err.Error())
		}
		for _, check := range content.Checks {
			verdict, because := "skipped", any(nil)
			if !unmet(check, s.keywords) {
				verdict, because = examine(check)
			}
			counts[verdict]++
			fmt.Printf("%-12s %s %v\n", verdict, check["id"], because)
		}
	}
	fmt.Println(counts)
	if counts["violates"] > 0 {
		os.Exit(1)
	}
}
