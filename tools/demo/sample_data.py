"""The sample cluster of ./demo: load it, damage it, compare it with what it was.

usage: sample_data.py URI load|damage|verify STATE_FILE
"""

import hashlib
import json
import random
import sys
from datetime import datetime, timedelta, timezone

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DESCENDING, MongoClient

DATABASE = "shop"
RAW = CodecOptions(document_class=RawBSONDocument)
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def orders(count):
    rng = random.Random(7)
    for number in range(count):
        yield {
            "_id": number,
            "customer": rng.randrange(400),
            "status": rng.choice(["open", "paid", "shipped", "returned"]),
            "placed": START + timedelta(minutes=number),
            "total": round(rng.uniform(5, 900), 2),
            "lines": [{"sku": f"sku-{rng.randrange(120):04}", "count": rng.randrange(1, 5)} for _ in range(3)],
            "note": "leave it at the door, please " * rng.randrange(1, 6),
        }


def customers(count):
    for number in range(count):
        yield {"_id": number, "name": f"Customer {number}", "mail": f"c{number}@example.org", "city": number % 17}


def products(count):
    for number in range(count):
        yield {"_id": f"sku-{number:04}", "name": f"Product {number}", "price": number * 3 + 0.5, "tags": ["a", "b"]}


def load(database):
    for name in database.list_collection_names():
        database.drop_collection(name)
    plan = [("orders", orders(3000)), ("customers", customers(400)), ("products", products(120))]
    for name, documents in plan:
        documents = list(documents)
        database[name].insert_many(documents)
        print(f"  loaded {len(documents):5} documents into {DATABASE}.{name}", flush=True)
    database.orders.create_index([("customer", ASCENDING), ("placed", DESCENDING)], name="by_customer")
    database.orders.create_index([("status", ASCENDING)], name="by_status")
    database.customers.create_index([("mail", ASCENDING)], name="by_mail", unique=True)


def damage(database):
    database.drop_collection("customers")
    changed = database.orders.update_many({"status": "open"}, {"$set": {"status": "lost"}}).modified_count
    deleted = database.orders.delete_many({"customer": {"$lt": 100}}).deleted_count
    database.strangers.insert_one({"_id": 1, "why": "was never in the snapshot"})
    print(f"  dropped shop.customers, changed {changed} orders, deleted {deleted}, added shop.strangers")


def fingerprint(database):
    state = {}
    for name in sorted(database.list_collection_names()):
        documents = sorted(document.raw for document in database.get_collection(name, codec_options=RAW).find())
        indexes = sorted(json.dumps(index.to_dict(), default=str) for index in database[name].list_indexes())
        state[name] = {
            "documents": len(documents),
            "sha256": hashlib.sha256(b"".join(documents)).hexdigest(),
            "indexes": [json.loads(index) for index in indexes],
        }
    return state


def verify(database, expected):
    found = fingerprint(database)
    for name in sorted(set(expected) | set(found)):
        if expected.get(name) != found.get(name):
            print(f"  {DATABASE}.{name} DIFFERS\n    expected {expected.get(name)}\n    found    {found.get(name)}")
        else:
            entry = found[name]
            print(f"  {DATABASE}.{name}: {entry['documents']} documents byte for byte, {len(entry['indexes'])} indexes")
    return found == expected


def main():
    uri, action, state_file = sys.argv[1:4]
    database = MongoClient(uri, serverSelectionTimeoutMS=10000)[DATABASE]
    if action == "load":
        load(database)
        with open(state_file, "w", encoding="utf-8") as file:
            json.dump(fingerprint(database), file)
    elif action == "damage":
        damage(database)
    elif action == "verify":
        with open(state_file, encoding="utf-8") as file:
            sys.exit(0 if verify(database, json.load(file)) else 1)
    else:
        sys.exit(f"unknown action {action}")


if __name__ == "__main__":
    main()
