"""Whether an answer is what MongoDB's OpenAPI document says. The document is not part of the project: TIDEMARK_OPENAPI
names it."""

import functools
import json
import os
import re

import pytest

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@functools.cache
def document():
    path = os.environ.get("TIDEMARK_OPENAPI")
    if not path:
        pytest.skip("TIDEMARK_OPENAPI names no OpenAPI document")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def check_answer(answer, template, method, media_type="application/vnd.atlas.2023-01-01+json"):
    """Problems of an answer to that operation; `template` is its path as the document writes it."""
    operation = document()["paths"]["/api/atlas/v2" + template][method]
    responses = operation["responses"]
    if str(answer.status_code) not in responses:
        return [f"status {answer.status_code} is not documented"]
    schema = responses[str(answer.status_code)]["content"][media_type].get("schema")
    if schema is None:
        return ["a body where there is none"] if answer.content else []
    return list(problems(answer.json(), schema, "body"))


def problems(value, schema, where):
    if "$ref" in schema:
        target = document()
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        yield from problems(value, target, where)
        return
    if value is None:
        if not schema.get("nullable"):
            yield f"{where} is null"
        return
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        yield f"{where} is no {kind}: {value!r}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is none of {schema['enum']}: {value!r}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} does not match {schema['pattern']}: {value!r}"
    if schema.get("format") == "date-time" and not re.fullmatch(INSTANT, value):
        yield f"{where} is no instant: {value!r}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where} is less than {schema['minimum']}: {value!r}"
    if isinstance(value, dict) and "properties" in schema:
        yield from object_problems(value, schema, where)
    for index, element in enumerate(value if isinstance(value, list) else ()):
        yield from problems(element, schema.get("items", {}), f"{where}[{index}]")


def object_problems(value, schema, where):
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}.{name} is missing"
    for name, member in value.items():
        if name not in schema["properties"]:
            yield f"{where}.{name} is not in the schema"
        elif schema["properties"][name].get("writeOnly"):
            yield f"{where}.{name} is never told"
        else:
            yield from problems(member, schema["properties"][name], f"{where}.{name}")
