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
    response = resolve(responses[str(answer.status_code)])
    schema = response["content"][media_type].get("schema")
    if schema is None:
        return ["a body where there is none"] if answer.content else []
    return list(problems(answer.json(), schema, "body"))


def follow(reference):
    target = document()
    for step in reference.removeprefix("#/").split("/"):
        target = target[step]
    return target


def resolve(schema, value=None, chosen=()):
    """The schema without $ref, discriminator and allOf: those of all parts as one."""
    if "$ref" in schema:
        return resolve(follow(schema["$ref"]), value, (*chosen, schema["$ref"]))
    choice = schema.get("discriminator", {})
    name = value.get(choice.get("propertyName")) if isinstance(value, dict) else None
    reference = choice.get("mapping", {}).get(name)
    if reference and reference not in chosen:
        return resolve({"$ref": reference}, value, chosen)
    if "allOf" not in schema:
        return schema
    parts = [resolve(part, value, chosen) for part in schema["allOf"]]
    whole = {name: rule for name, rule in schema.items() if name != "allOf"}
    whole["properties"] = {name: rule for part in parts for name, rule in part.get("properties", {}).items()}
    whole["required"] = [name for part in parts for name in part.get("required", ())]
    return whole


# What real answers have although the document says otherwise.
RECORDED = re.compile(
    r"desiredTimestamp\.((date|increment) is null|time is not in the schema)$"
    r"|\.targetDeploymentItemName is not in the schema$"
    r"|\.prefix does not match /exported_snapshots/\\\{ORG-NAME"  # a template as a pattern
)


def problems(value, schema, where):
    """What the document has against it; recorded answers are right where they differ."""
    yield from (problem for problem in found_problems(value, schema, where) if not RECORDED.search(problem))


def found_problems(value, schema, where):
    schema = resolve(schema, value)
    if "oneOf" in schema:
        tries = [list(problems(value, one, where)) for one in schema["oneOf"]]
        yield from () if [] in tries else [f"{where} is none of its alternatives: {tries}"]
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
    elif isinstance(value, dict) and "additionalProperties" in schema:
        for name, member in value.items():
            yield from problems(member, schema["additionalProperties"], f"{where}.{name}")
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
