"""What an export holds, read with Python's own gzip and pymongo's Extended JSON."""

import gzip
import json

from bson import json_util

CANONICAL = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL)


def exported(objects, prefix):
    """{(database, collection): documents} of what lies below a prefix; names come from the metadata."""
    names, lines = {}, {}
    for key, content in objects.items():
        folder, _, file = key.removeprefix(prefix + "/").rpartition("/")
        if file == "metadata.json":
            names[folder] = (folder.split("/")[0], json.loads(content)["collectionName"])
            lines.setdefault(folder, [])
        elif file.endswith(".json.gz"):
            lines.setdefault(folder, []).extend(gzip.decompress(content).decode().splitlines())
    return {names[folder]: sorted(str(json_util.loads(line, json_options=CANONICAL)) for line in found)
            for folder, found in lines.items()}


def below(objects, prefix):
    return {key: content for key, content in objects.items() if key.startswith(prefix + "/")}
