"""A TCP proxy on loopback that is slow or cuts connections at a chosen place, as a bad network does, or changes what is answered, as another server would."""
import contextlib
import socket
import threading
import time


class Proxy:
    def __init__(self, host: str, port: int):
        self.target = (host, port)
        self.delay = 0.0  # s, before each piece of an answer is passed on
        self.cut_answers_to = None  # (request: bytes) -> bool: the request is passed on, its answer is not, the connection is cut
        self.cut_answer_after = None  # (request: bytes) -> bytes of the answer that are passed on before the connection is cut, or None
        self.change_answer = None  # (piece: bytes) -> bytes of the same length
        self.cuts = 0
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for one in list(self._open):
            _end(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self.target, 10)
            server.settimeout(None)
        except OSError:
            return _end(client)
        link = _Link(client, server)
        self._open |= {client, server}
        threading.Thread(target=self._answers, args=(link,), daemon=True).start()
        with contextlib.suppress(OSError):
            while piece := client.recv(1 << 20):
                link.cut = bool(self.cut_answers_to and self.cut_answers_to(piece))
                link.left = self.cut_answer_after(piece) if self.cut_answer_after else None
                server.sendall(piece)
        self._end(link)

    def _answers(self, link: "_Link") -> None:
        with contextlib.suppress(OSError):
            while piece := link.server.recv(1 << 16):
                if self.delay:
                    time.sleep(self.delay)  # the fault itself
                if link.cut:
                    break
                if link.left is not None:
                    piece, link.left = piece[:link.left], link.left - len(piece)
                link.client.sendall(self.change_answer(piece) if self.change_answer else piece)
                if link.left is not None and link.left <= 0:
                    break
        if link.cut or link.left is not None and link.left <= 0:
            self.cuts += 1
        self._end(link)

    def _end(self, link: "_Link") -> None:
        for one in (link.client, link.server):
            _end(one)
            self._open.discard(one)


class _Link:
    def __init__(self, client: socket.socket, server: socket.socket):
        self.client, self.server = client, server
        self.cut = False
        self.left: int | None = None


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
