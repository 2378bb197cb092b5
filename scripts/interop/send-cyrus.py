# Authenticates by Cyrus SASL under STARTTLS and sends: arguments are the mechanism, the port, the authority's file, user and password.
# The -PLUS forms bind to the server's certificate (tls-server-end-point).
import base64
import ctypes
import hashlib
import smtplib
import ssl
import sys

mechanism, port, authority, user, password = sys.argv[1:]
library = ctypes.CDLL("libsasl2.so.2")

OK, CONTINUE = 0, 1
CB_USER, CB_AUTHNAME, CB_PASS, CB_LIST_END = 0x4001, 0x4002, 0x4004, 0
CHANNEL_BINDING = 21


class Secret(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ulong), ("data", ctypes.c_char * 256)]


class Callback(ctypes.Structure):
    _fields_ = [("id", ctypes.c_ulong), ("function", ctypes.c_void_p), ("context", ctypes.c_void_p)]


class Binding(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("critical", ctypes.c_int), ("len", ctypes.c_ulong), ("data", ctypes.c_char_p)]


name = ctypes.create_string_buffer(user.encode())
secret = Secret(len(password.encode()), password.encode())
SIMPLE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_uint))
PASS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p))


@SIMPLE
def give_name(_context, which, result, length):
    result[0] = ctypes.addressof(name) if which == CB_AUTHNAME else ctypes.addressof(empty)
    if length:
        length[0] = len(user.encode()) if which == CB_AUTHNAME else 0
    return OK


@PASS
def give_password(_connection, _context, _which, result):
    result[0] = ctypes.addressof(secret)
    return OK


def address(function):
    return ctypes.cast(function, ctypes.c_void_p)


empty = ctypes.create_string_buffer(b"")
callbacks = (Callback * 4)(
    Callback(CB_USER, address(give_name)),
    Callback(CB_AUTHNAME, address(give_name)),
    Callback(CB_PASS, address(give_password)),
    Callback(CB_LIST_END),
)


def check(result):
    if result not in (OK, CONTINUE):
        sys.exit(f"Cyrus SASL: {ctypes.string_at(library.sasl_errdetail(sasl)).decode() if sasl else result}")
    return result


def encoded(data, length):
    return base64.b64encode(ctypes.string_at(data, length.value)).decode() if data and length.value else ""


library.sasl_errdetail.restype = ctypes.c_void_p
library.sasl_errdetail.argtypes = [ctypes.c_void_p]
sasl = ctypes.c_void_p()
check(library.sasl_client_init(callbacks))
context = ssl.create_default_context(cafile=authority)
# The newest checks want fields that the certificates of a test have no use for.
context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)

with smtplib.SMTP("localhost", int(port), timeout=60) as connection:
    connection.starttls(context=context)
    connection.ehlo()
    check(library.sasl_client_new(b"smtp", b"localhost", None, None, None, 0, ctypes.byref(sasl)))
    digest = hashlib.sha256(connection.sock.getpeercert(True)).digest()
    binding = Binding(b"tls-server-end-point", 1 if mechanism.endswith("-PLUS") else 0, len(digest), digest)
    if mechanism.endswith("-PLUS"):
        check(library.sasl_setprop(sasl, CHANNEL_BINDING, ctypes.byref(binding)))
    out, length, chosen = ctypes.c_void_p(), ctypes.c_uint(), ctypes.c_char_p()
    to_say = (ctypes.byref(out), ctypes.byref(length))
    result = check(library.sasl_client_start(sasl, mechanism.encode(), None, *to_say, ctypes.byref(chosen)))
    code, reply = connection.docmd("AUTH", f"{mechanism} {encoded(out, length)}")
    while code == 334:
        challenge = base64.b64decode(reply)
        result = check(library.sasl_client_step(sasl, challenge, len(challenge), None, *to_say))
        code, reply = connection.docmd(encoded(out, length))
    # OK: the client has seen that the server knows the password.
    if code != 235 or result != OK:
        sys.exit(f"{code} {reply.decode()}, {result}")
    connection.sendmail("sender@client.example", ["one@mx.example"], b"Subject: x\r\n\r\nx\r\n")
