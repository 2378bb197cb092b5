# Runs a command on a terminal of its own and types a line when it asks: arguments are the words it asks with, the line, and the command.
# Prints all that the terminal has shown; its exit code is the command's.
import os
import pty
import sys

prompt, line, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
shown = b""
typed = False
while True:
    try:
        octets = os.read(terminal, 65536)
    except OSError:  # Linux: the other side is closed
        break
    if not octets:
        break
    shown += octets
    if not typed and prompt.encode() in shown:
        typed = True
        os.write(terminal, line.encode() + b"\r")
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
