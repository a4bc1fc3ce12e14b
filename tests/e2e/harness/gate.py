"""A gate before a server: passes bytes on, slowly if asked to, and can be shut and opened again."""

import contextlib
import selectors
import socket
import threading
import time

PIECE = 64 * 1024


class Gate:
    """Listens on a free loopback port. `pause` in seconds is waited before each piece towards the server."""

    def __init__(self, server_port, pause=0.0):
        self.pause = pause
        self.passed = 0  # bytes towards the server
        self.answered = 0  # bytes that came back
        self._server_port = server_port
        self._lock = threading.Lock()
        self._pairs = []
        self._open = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def uri(self):
        return f"mongodb://127.0.0.1:{self.port}/"

    def shut(self):
        """Breaks every connection; new ones are broken at once."""
        with self._lock:
            self._open = False
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            self._break(pair)

    def open(self):
        with self._lock:
            self._open = True

    def stop(self):
        self.shut()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if not self._open:
                    client.close()
                    continue
                try:
                    pair = (client, socket.create_connection(("127.0.0.1", self._server_port)))
                except OSError:
                    client.close()
                    continue
                self._pairs.append(pair)
            threading.Thread(target=self._pass, args=(pair,), daemon=True).start()

    def _pass(self, pair):
        client, server = pair
        with selectors.DefaultSelector() as selector, contextlib.suppress(OSError, ValueError):
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    piece = key.fileobj.recv(PIECE)
                    if not piece:
                        return self._break(pair)
                    if key.fileobj is client:
                        time.sleep(self.pause)
                        self.passed += len(piece)
                    else:
                        self.answered += len(piece)
                    key.data.sendall(piece)
        return self._break(pair)

    @staticmethod
    def _break(pair):
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
