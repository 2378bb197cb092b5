#!/usr/bin/env python3
"""Runs the wire checks of servers (test-vectors/wire/server) against a server, with nothing but Python.

wire.py HOST:PORT [--checks FOLDER] [--protocol smtp|submission|lmtp] [--from ADDRESS] [--to ADDRESS]... [--tls]
Checks that need a user, or minutes, are skipped. Exit code: 0 no violation, 1 a violation, 69 no session.
"""
import argparse, glob, json, os, re, socket, ssl, struct, sys, time

STAGES = ["connected", "greeted", "hello", "ready", "mail", "rcpt", "data"]
RANK = ["conforms", "permitted", "inconclusive", "violates"]
#: What every reply may be, without a word in the check (README, "A check of the wire").
LATITUDE = [(("421",), "the server may close with 421 (RFC 5321 3.8)"), (("530", "534", "538"), "TLS or AUTH comes first (RFC 4954 6)"), (("4",), "the server fails for now")]


class Stuck(Exception): """A session does not come as far as a check begins."""

class Session:
    """One connection, with what is said, heard and known."""

    def __init__(self, options):
        self.options, self.buffer, self.over, self.refused, self.said, self.asked, self.keywords = options, b"", None, False, "", False, []
        self.socket = socket.create_connection((options.host, options.port), timeout=options.patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address = self.socket.getsockname()[0]
        first = options.to[0] if options.to else "Postmaster"
        local, _, domain = first.rpartition("@")
        self.words = {
            "hello": "LHLO" if options.protocol == "lmtp" else "EHLO", "name": f"[IPv6:{address}]" if ":" in address else f"[{address}]",
            "host": "localhost", "from": f"<{options.sender}>", "to": f"<{first}>", "to-two": f"<{options.to[1] if len(options.to) > 1 else first}>",
            "local": local, "domain": domain, "domain-upper": domain.upper(), "nobody": f"<no-such-user-c0nf0rm@{domain or 'localhost'}>",
        }

    def expand(self, octets):
        fill = lambda text: re.sub(r"\{([a-z-]+)\}", lambda found: self.words.get(found[1], found[0]), text)
        parts = [octets] if isinstance(octets, str) else octets
        return "".join(fill(part) if isinstance(part, str) else fill(part["repeat"]) * part["times"] for part in parts)

    def say(self, octets, cut=False):
        text = self.expand(octets)
        data = text.encode("latin-1")
        self.asked = self.asked or "RCPT TO" in text.upper()
        try:
            for piece in ([data[i:i + 1] for i in range(len(data))] if cut else [data]):
                self.socket.sendall(piece)
        except OSError: pass  # The next read tells what became of the connection.

    def line(self, patience):
        limit = time.monotonic() + patience
        while b"\n" not in self.buffer:
            if self.over or len(self.buffer) > 262144:
                return self.over or "malformed"
            left = limit - time.monotonic()
            if left <= 0:
                return "silence"
            self.socket.settimeout(left)
            try:
                octets = self.socket.recv(65536)
            except (socket.timeout, ssl.SSLWantReadError):
                return "silence"
            except OSError:
                self.over = "reset"
                continue
            if octets == b"":
                self.over = "end"
            self.buffer += octets
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"

    def hear(self, patience=None):
        """The next reply as (code, lines, defects), or what came in its place as (word, [], set())."""
        lines, defects, codes = [], set(), set()
        while True:
            raw = self.line(patience or self.options.patience)
            if isinstance(raw, str):
                return raw, [], set()
            text = raw.decode("latin-1")
            body = re.sub(r"\r?\n$", "", text)
            last = not re.match(r"[0-9]{3}-", text)
            if not text.endswith("\r\n") or "\r" in body: defects.add("bare-line-end")
            if len(text) > 512: defects.add("too-long")
            if re.search(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", body): defects.add("control")
            if re.search(r"[^\0-\x7f]", body): defects.add("not-ascii")
            code, separator, rest = (re.match(r"([0-9]{3})(.?)(.*)$", body, re.S) or re.match(r"()()(.*)$", body, re.S)).groups()
            if not re.fullmatch(r"[2-5][0-5][0-9]", code): defects.add("code")
            if separator == "": defects.add("bare-code")
            elif separator != (" " if last else "-"): defects.add("separator")
            codes.add(code)
            lines.append(rest)
            if last:
                break
        if len(codes) > 1: defects.add("codes-differ")
        self.refused = self.refused or code[:1] in "45"
        self.said = code
        return (code if re.fullmatch(r"[2-5][0-9]{2}", code) else "malformed"), lines, defects

    def ask(self, command, *codes):
        self.say(command + "\r\n")
        code, lines, _ = self.hear()
        if code not in codes:
            raise Stuck(f"{command} is answered by {code}")
        return lines

    def greet(self):
        self.keywords = [line.strip().upper() for line in self.ask("{hello} {name}", "250")[1:]]
        for keyword in self.keywords:
            if re.fullmatch(r"SIZE [1-9][0-9]{0,14}", keyword):
                self.words.update(size=keyword[5:], over=str(int(keyword[5:]) + 1))

    def secure(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket.settimeout(self.options.patience)
        self.socket, self.buffer = context.wrap_socket(self.socket, server_hostname=self.options.host), b""

    def reach(self, stage, starttls):
        last = STAGES.index(stage)
        if last >= 1:
            code, lines, _ = self.hear()
            if code != "220":
                raise Stuck(f"the greeting is {code}")
            name = re.match(r"[A-Za-z0-9.-]+", lines[0])
            if name:
                self.words["host"] = name[0]
                if not self.words["domain"]: self.words["nobody"] = f"<no-such-user-c0nf0rm@{name[0]}>"
        if last >= 2:
            self.greet()
            if self.options.tls and starttls:
                self.ask("STARTTLS", "220")
                self.secure()
                self.greet()
        if last >= 4: self.ask("MAIL FROM:{from}", "250")
        if last >= 5: self.ask("RCPT TO:{to}", "250", "251")
        if last >= 6: self.ask("DATA", "354")

    def leave(self):
        if not self.over and self.said != "354":
            self.say("RSET\r\nQUIT\r\n" if self.asked else "QUIT\r\n")
            while self.hear(1)[0] not in ("221", "421", "end", "reset", "silence"): pass
        self.socket.close()


def fits(patterns, token):
    return any(pattern == "*" or token.startswith(pattern) if token[0].isdigit() else pattern == token for pattern in patterns)


def judge(step, session, code, lines, defects):
    """(verdict, because, stop, name)."""
    if fits(step["expect"], code):
        rules = step.get("text", {})
        has = lambda pattern: lambda line: re.search(pattern.replace("{extensions}", ""), line, re.I) is not None
        wrong = (
            next((name for name in rules.get("form", []) if name in defects), None)
            or ("lines" in rules and len(lines) > rules["lines"] and "lines") or ("first" in rules and not has(rules["first"])(lines[0]) and "first")
            or ("rest" in rules and not all(map(has(rules["rest"]), lines[1:])) and "rest") or ("every" in rules and not all(map(has(rules["every"]), lines)) and "every")
            or ("some" in rules and not any(map(has(rules["some"]), lines)) and "some") or ("none" in rules and any(map(has(rules["none"]), lines)) and "none"))
        if not wrong:
            return "conforms", None, False, None
        other = rules.get("else", {"verdict": "violates", "because": f"the reply breaks the rule {wrong}"})
        return other["verdict"], other["because"], other["verdict"] != "permitted", None
    for other in step.get("also", []):
        if fits(other["answers"], code):
            return other["verdict"], other.get("because"), other.get("stop") or other["verdict"] in RANK[2:], other.get("as")
    for codes, because in LATITUDE:
        if fits(codes, code): return "inconclusive", because, True, None
    if code == "silence" and "within" not in step or code in ("end", "reset") and session.refused: return "inconclusive", f"no answer: {code} (RFC 5321 4.5.3.2, 7.8)", True, None
    return "violates", f"expected {' or '.join(step['expect'])}, got {code}", True, None


def run(check, session):
    labels, worst, because = set(), "conforms", None
    for step in check["steps"]:
        if ("if" in step and step["if"] not in labels) or ("unless" in step and step["unless"] in labels): continue
        if "send" in step: session.say(step["send"], step.get("cut") == "octets")
        elif "wait" in step: time.sleep(step["wait"] / 1000)
        elif step.get("do") == "end": session.socket.shutdown(socket.SHUT_WR)
        elif step.get("do") == "reset":
            session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            session.socket.close()
            session.over = "reset"
        elif step.get("do") == "secure":
            try: session.secure()
            except OSError as error: return (lambda fails: (fails["verdict"], fails["because"]))(step.get("fails", {"verdict": "inconclusive", "because": f"no TLS: {error}"}))
        for _ in range(step.get("times", 1) if "expect" in step else 0):
            verdict, why, stop, name = judge(step, session, *session.hear(step["within"] / 1000 if "within" in step else None))
            if name: labels.add(name)
            if RANK.index(verdict) > RANK.index(worst): worst, because = verdict, why
            if stop: return worst, because
    return worst, because


def unmet(check, options, clear, ready):
    needs, early = check.get("needs", {}), check["begin"] in ("connected", "greeted")
    offered = clear if early or needs.get("tls") == "starttls" else ready
    has = lambda wanted: any(line.split(" ")[0] == wanted.split(" ")[0] and set(wanted.split(" ")[1:]) <= set(line.split(" ")[1:]) for line in offered)
    if options.protocol not in check["for"]: return "it is not for this protocol"
    if needs.get("to", 0) > len(options.to): return "needs --to"
    if needs.get("from") and not options.sender: return "needs --from"
    if needs.get("user"): return "needs a user"
    if needs.get("slow"): return "takes minutes"
    if needs.get("tls") == "clear" and options.tls and not early or needs.get("tls") in ("active", "starttls") and not options.tls: return "needs another connection"
    missing = [word for word in needs.get("keywords", []) if not has(word)] + [word for word in needs.get("absent", []) if has(word)]
    if needs.get("size") and not any(re.fullmatch(r"SIZE [1-9][0-9]{0,14}", line) for line in offered): missing.append("SIZE")
    return f"{missing[0]} is offered or not" if missing else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--checks", default=os.path.join(os.path.dirname(__file__), "../../test-vectors/wire/server"))
    parser.add_argument("--protocol", default="smtp")
    parser.add_argument("--from", dest="sender", default="")
    parser.add_argument("--to", action="append", default=[])
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--patience", type=float, default=15)
    options = parser.parse_args()
    options.host, options.port = options.server.rpartition(":")[0], int(options.server.rpartition(":")[2])
    counts = dict.fromkeys(RANK + ["skipped"], 0)
    try:
        session = Session(options)
        session.reach("greeted", False)
        session.greet()
        clear = session.keywords
        session.leave()
        session = Session(options)
        session.reach("ready", True)
        ready = session.keywords
        session.leave()
    except (OSError, Stuck) as error:
        sys.exit(print(f"no session: {error}", file=sys.stderr) or 69)
    for file in sorted(glob.glob(os.path.join(options.checks, "*.json"))):
        for check in json.load(open(file, encoding="utf-8"))["checks"]:
            because = unmet(check, options, clear, ready)
            verdict = "skipped"
            if because is None:
                session = Session(options)
                try:
                    session.reach(check["begin"], check.get("needs", {}).get("tls") != "starttls")
                    verdict, because = run(check, session)
                except Stuck as error:
                    verdict, because = "inconclusive", str(error)
                session.leave()
            counts[verdict] += 1
            print(f"{verdict:12} {check['id']}{f': {because}' if because else ''}")
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    sys.exit(1 if counts["violates"] else 0)


if __name__ == "__main__":
    main()
