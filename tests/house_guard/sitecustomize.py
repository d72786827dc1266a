"""Put on PYTHONPATH by ``test_house_privacy``: every Python process then refuses, and notes down, to leave loopback.

An audit hook sees each connect, name look-up, datagram and bind before it happens, whichever library asks for it.
"""

import ipaddress
import os
import sys

_LOG = os.environ["HOUSE_GUARD_LOG"]
_WATCHED = {
    "socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr",
}  # fmt: skip


def _guard(event, arguments):
    if event not in _WATCHED:
        return
    # name look-ups give the host first, the others a socket and then its address; a path is a Unix socket
    address = arguments[0] if event.startswith("socket.get") else arguments[1]
    host = address[0] if isinstance(address, tuple) else None if not event.startswith("socket.get") else address
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if host is None or _is_loopback(host):
        return
    _note(f"refused {event} {host!r} in {sys.argv}")
    raise PermissionError(f"{event} to {host!r}: nothing may leave this machine in this test")


def _is_loopback(host):
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _note(line):
    handle = os.open(_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(handle, f"{line}\n".encode())
    os.close(handle)


_note(f"guarded {os.getpid()} {' '.join(sys.orig_argv[1:4])}")
sys.addaudithook(_guard)
