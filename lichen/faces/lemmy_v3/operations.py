"""The calls in the OpenAPI description, made from the messages themselves."""

from typing import Any

import msgspec
from litestar.openapi.spec import Operation

from lichen.faces.lemmy_v3 import wire


def operation_of(asked: type[wire.Ask], *, is_query: bool) -> type[Operation]:
    """Return the class that describes a call taking `asked` in its query or its body."""

    class CallOperation(Operation):
        """An operation whose parameters are the fields of a message."""

        def to_schema(self) -> dict[str, Any]:
            """Return the operation as the description shows it."""
            described = super().to_schema()
            schema = _flat_schema(asked)
            if is_query:
                described["parameters"] = _parameters(schema)
            else:
                described["requestBody"] = {
                    "required": bool(schema.get("required")),
                    "content": {"application/json": {"schema": schema}},
                }
            return described

    return CallOperation


def _parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _not_null(field)}
        for name, field in schema["properties"].items()
    ]


def _not_null(field: dict[str, Any]) -> dict[str, Any]:
    """Return a field without `null`, which a query string cannot say."""
    choices = [choice for choice in field.get("anyOf", ()) if choice != {"type": "null"}]
    return choices[0] if len(choices) == 1 else field


def _flat_schema(asked: type[wire.Ask]) -> dict[str, Any]:
    """Return the JSON schema of a message with the enumerations it names put in their places."""
    (shown,), named = msgspec.json.schema_components((asked,), ref_template="{name}")
    flat = _resolved(named[shown["$ref"]], named)
    assert isinstance(flat, dict)
    return flat


def _resolved(schema: Any, named: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_resolved(item, named) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolved(named[schema["$ref"]], named)
    return {key: _resolved(value, named) for key, value in schema.items() if key != "default"}
