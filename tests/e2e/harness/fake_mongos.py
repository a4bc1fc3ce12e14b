"""Answers the handshake of a MongoDB driver as the router of a sharded cluster does, and nothing more."""

import socketserver
import struct
import threading

import bson

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
HEADER = struct.Struct("<iiii")
GREETING = {
    "ismaster": True,
    "isWritablePrimary": True,
    "msg": "isdbgrid",
    "maxBsonObjectSize": 16777216,
    "maxMessageSizeBytes": 48000000,
    "maxWriteBatchSize": 100000,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "ok": 1.0,
}


def _answer(command):
    name = next(iter(command)).lower()
    if name in ("ismaster", "hello"):
        return GREETING
    if name == "buildinfo":
        return {"version": "7.0.42", "storageEngines": ["wiredTiger"], "ok": 1.0}
    if name == "ping":
        return {"ok": 1.0}
    return {"ok": 0.0, "errmsg": f"this router does not know {name}", "code": 59, "codeName": "CommandNotFound"}


def _command_of(opcode, payload):
    if opcode == OP_MSG:  # flags, section kind 0, document
        return bson.decode(payload[5:])
    name_end = payload.index(b"\0", 4)  # flags, collection name, skip, count, document
    return bson.decode(payload[name_end + 9 :])


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while header := self._receive(HEADER.size):
            length, request, _, opcode = HEADER.unpack(header)
            reply = bson.encode(_answer(_command_of(opcode, self._receive(length - HEADER.size))))
            if opcode == OP_MSG:
                body, kind = struct.pack("<iB", 0, 0) + reply, OP_MSG
            else:
                body, kind = struct.pack("<iqii", 8, 0, 0, 1) + reply, OP_REPLY
            self.request.sendall(HEADER.pack(HEADER.size + len(body), 1, request, kind) + body)

    def _receive(self, size):
        data = b""
        while len(data) < size:
            part = self.request.recv(size - len(data))
            if not part:
                return b""
            data += part
        return data


class FakeMongos:
    def __init__(self):
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.uri = f"mongodb://127.0.0.1:{self._server.server_address[1]}/"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
