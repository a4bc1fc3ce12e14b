"""Ports of loopback for servers that are told theirs. They lie below those that the kernel gives to connections and to
port 0, so that none is taken between being found free and being used, or while its server is dead for a moment."""

import itertools
import random
import socket

FIRST, BLOCK, BLOCKS = 20000, 100, 120


def _reserve_block():
    """A block that no other process that runs these tests has. The name that says so goes with the process."""
    for block in random.sample(range(BLOCKS), BLOCKS):
        sign = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sign.bind(f"\0tidemark-test-ports-{block}")
        except OSError:
            sign.close()
            continue
        first = FIRST + block * BLOCK
        return sign, itertools.cycle(range(first, first + BLOCK))
    raise RuntimeError(f"all {BLOCKS} blocks of ports are taken by other runs of the tests")


class _Ports:
    """Of one process: its block is taken at first use. Not given anew before all others of the block were."""

    def __init__(self):
        self._sign, self._numbers = None, None

    def next_free(self):
        if self._sign is None:
            self._sign, self._numbers = _reserve_block()
        for port in itertools.islice(self._numbers, BLOCK):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port
        raise RuntimeError("no port of this run's block is free")


_PORTS = _Ports()


def free_port():
    return _PORTS.next_free()
