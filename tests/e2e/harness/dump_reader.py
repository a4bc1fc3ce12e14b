"""Strict readers of what mongodump writes, made from the description of its formats alone: a tree as tar.gz, an archive,
and the lines of JSON that mongoimport reads. Whatever a tool might stumble over is an error here."""

import base64
import dataclasses
import gzip
import hashlib
import io
import json
import tarfile
import urllib.parse

import bson
from bson import json_util
from bson.codec_options import DatetimeConversion
from bson.raw_bson import RawBSONDocument

MAGIC = b"\x6d\xe2\x99\x81"
TERMINATOR = b"\xff\xff\xff\xff"
MAX_DOCUMENT = 16 << 20
MAX_NAME = 238
METADATA_KEYS = ["options", "indexes", "uuid", "collectionName", "type"]


@dataclasses.dataclass
class Dumped:
    metadata: str
    documents: list
    type: str

    @property
    def options(self):
        return bson.encode(json_util.loads(self.metadata, json_options=CANONICAL).get("options", {}))

    @property
    def indexes(self):
        return [bson.encode(spec) for spec in json_util.loads(self.metadata, json_options=CANONICAL)["indexes"]]


CANONICAL = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, document_class=bson.SON, tz_aware=False, datetime_conversion=DatetimeConversion.DATETIME_MS
)


def escape(collection):
    escaped = urllib.parse.quote_plus(collection, safe="-_.~")
    if len(escaped) > MAX_NAME:
        digest = hashlib.sha1(collection.encode()).digest()
        escaped = escaped[:208] + "%24" + base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert len(escaped) == MAX_NAME
    return escaped


def split_documents(data):
    documents = []
    while data:
        size = int.from_bytes(data[:4], "little")
        assert 5 <= size <= min(MAX_DOCUMENT, len(data)), size
        assert data[size - 1] == 0
        documents.append(data[:size])
        assert bson.encode(bson.decode(data[:size], RAW)) == data[:size]
        data = data[size:]
    return documents


RAW = bson.CodecOptions(document_class=RawBSONDocument)


def check_metadata(text, collection, kind=None):
    assert "\n" not in text
    pairs = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    keys = [key for key, _ in pairs]
    assert keys == [key for key in METADATA_KEYS if key in keys], keys
    metadata = dict(pairs)
    assert metadata["collectionName"] == collection
    assert isinstance(metadata["indexes"], list)
    assert metadata.get("options", True), "options are left out when there are none"
    assert metadata.get("type") in (None, "collection", "view", "timeseries")
    if kind is not None:
        assert metadata["type"] == kind
    assert json_util.dumps(json_util.loads(text, json_options=CANONICAL), json_options=CANONICAL, separators=(",", ":"),
                           ensure_ascii=False) == text
    return metadata


def read_members(packed):
    """{path: bytes} of a tar.gz, folders with None; the tar is as plain as can be."""
    plain = gzip.decompress(packed)
    members = {}
    folders = set()
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
        for member in tar:
            assert member.isdir() or member.isreg(), member.name
            assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
            assert member.mode == (0o755 if member.isdir() else 0o644)
            parts = member.name.split("/")
            assert all(part not in ("", ".", "..") for part in parts), member.name
            assert len(parts) == 1 or "/".join(parts[:-1]) in folders, f"{member.name} before its folder"
            assert member.name not in members, f"{member.name} twice"
            assert all(len(part.encode()) <= 255 for part in parts)
            if member.isdir():
                folders.add(member.name)
            members[member.name] = tar.extractfile(member).read() if member.isreg() else None
        end = tar.offset
    assert plain[end - 1024 :] == bytes(1024) or plain[end:] == bytes(len(plain) - end)
    assert len({member.split("/")[0] for member in members}) == 1
    return members


def read_tree(packed, top="dump"):
    """(prelude, {(database, collection): Dumped}) of a mongodump tree."""
    members = read_members(packed)
    assert members.pop(top) is None
    prelude = json.loads(members.pop(f"{top}/prelude.json"))
    assert list(prelude) == ["ServerVersion", "ToolVersion"]
    namespaces = {}
    for path in [path for path in members if path.endswith(".metadata.json")]:
        _, database, file = path.split("/")
        text = members.pop(path).decode()
        collection = json.loads(text)["collectionName"]
        assert file == escape(collection) + ".metadata.json"
        kind = check_metadata(text, collection)["type"]
        stored = "system.buckets." + collection if kind == "timeseries" else collection
        data = f"{top}/{database}/{escape(stored)}.bson"
        assert (data in members) == (kind != "view"), data
        documents = split_documents(members.pop(data)) if kind != "view" else []
        namespaces[database, collection] = Dumped(text, documents, kind)
    assert all(content is None for content in members.values()), "files that belong to nothing"
    return prelude, namespaces


def read_lines(packed, top="dump"):
    """{(database, collection): Dumped} of lines of JSON, the documents as BSON again."""
    members = read_members(packed)
    members.pop(f"{top}/prelude.json")
    namespaces = {}
    for path in [path for path in members if path.endswith("/metadata.json")]:
        _, database, folder, _ = path.split("/")
        text = members.pop(path).decode()
        collection = json.loads(text)["collectionName"]
        assert folder == escape(collection)
        kind = check_metadata(text, collection)["type"]
        documents = []
        number = 1
        while (file := f"{top}/{database}/{folder}/{number:06}.json") in members:
            lines = members.pop(file).decode()
            assert lines.endswith("\n")
            documents += [bson.encode(json_util.loads(line, json_options=CANONICAL)) for line in lines[:-1].split("\n")]
            number += 1
        namespaces[database, collection] = Dumped(text, documents, kind)
    assert all(content is None for content in members.values()), "files that belong to nothing"
    return namespaces


def _crc64_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xC96C5795D7870F42 if value & 1 else 0)
        table.append(value)
    return table


CRC64 = _crc64_table()


def crc64(data, crc=0):
    """CRC-64/XZ, which Go calls ECMA."""
    crc ^= (1 << 64) - 1
    for byte in data:
        crc = CRC64[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ (1 << 64) - 1


class _Stream:
    def __init__(self, data):
        self.data = memoryview(data)

    def take(self, size):
        assert size <= len(self.data), "the archive ends too early"
        taken, self.data = bytes(self.data[:size]), self.data[size:]
        return taken

    def document(self):
        """None at a terminator."""
        head = self.take(4)
        if head == TERMINATOR:
            return None
        size = int.from_bytes(head, "little")
        assert 5 <= size <= MAX_DOCUMENT
        document = head + self.take(size - 4)
        assert document[-1] == 0
        return document


def read_archive(data):
    """(header, {(database, collection): Dumped}) of `mongodump --archive`, uncompressed."""
    stream = _Stream(data)
    assert stream.take(4) == MAGIC
    header = bson.decode(stream.document())
    assert list(header) == ["concurrent_collections", "version", "server_version", "tool_version"]
    assert header["version"] == "0.1"
    namespaces = {}
    open_namespaces = {}
    while (described := stream.document()) is not None:
        fields = bson.decode(described)
        assert list(fields) == ["db", "collection", "metadata", "size", "type"]
        assert fields["size"] == 0
        check_metadata(fields["metadata"], fields["collection"], fields["type"])
        key = fields["db"], fields["collection"]
        assert key not in namespaces
        namespaces[key] = Dumped(fields["metadata"], [], fields["type"])
        stored = "system.buckets." + key[1] if fields["type"] == "timeseries" else key[1]
        open_namespaces[key[0], stored] = namespaces[key]
    while stream.data:
        fields = bson.decode(stream.document())
        assert list(fields) == ["db", "collection", "EOF", "CRC"]
        key = fields["db"], fields["collection"]
        namespace = open_namespaces[key]
        documents = []
        while (document := stream.document()) is not None:
            documents += split_documents(document)
        if fields["EOF"]:
            assert not documents
            assert fields["CRC"] % (1 << 64) == crc64(b"".join(namespace.documents))
            del open_namespaces[key]
        else:
            assert fields["CRC"] == 0
            namespace.documents += documents
    assert not open_namespaces, "archive finished before all collections were seen"
    return header, namespaces
