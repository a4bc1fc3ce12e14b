"""What a cluster holds, byte for byte, and how two clusters differ."""

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

RAW = CodecOptions(document_class=RawBSONDocument)
FEW = 100  # documents; only so small collections hold large ones in these tests
NOT_USER_DATA = ("admin", "config", "local", "tidemark_restore")


def _batch_size(collection):
    """Servers other than MongoDB do not bound a reply by its bytes, and drivers refuse large ones."""
    return 1 if collection.count_documents({}) <= FEW else 1000


def _documents(collection):
    found = {}
    for document in collection.find(batch_size=_batch_size(collection)):
        key = bson.encode({"_id": document["_id"]})
        assert key not in found, f"two documents of one _id in {collection.full_name}"
        found[key] = document.raw
    return found


def _indexes(collection):
    specs = []
    for index in collection.list_indexes():
        spec = dict(index)
        spec.pop("ns", None)
        specs.append(bson.encode(dict(sorted(spec.items()))))
    return sorted(specs)


def contents(server):
    """{(database, collection): (documents by _id, index specs)} of everything that a restore replaces."""
    state = {}
    for name in server.client.list_database_names():
        if name in NOT_USER_DATA:
            continue
        database = server.client.get_database(name, codec_options=RAW)
        for collection in database.list_collection_names():
            found = database.get_collection(collection)
            state[name, collection] = (_documents(found), _indexes(server.client[name][collection]))
    return state


def assert_same(expected, found):
    """Says what differs, not just that something does."""
    assert sorted(expected) == sorted(found)
    for namespace, (documents, indexes) in expected.items():
        found_documents, found_indexes = found[namespace]
        missing = documents.keys() - found_documents.keys()
        added = found_documents.keys() - documents.keys()
        changed = [key for key in documents.keys() & found_documents.keys() if documents[key] != found_documents[key]]
        problem = f"{namespace}: {len(missing)} missing, {len(added)} added, {len(changed)} changed"
        assert not missing and not added and not changed, problem
        assert indexes == found_indexes, f"{namespace}: indexes differ"
