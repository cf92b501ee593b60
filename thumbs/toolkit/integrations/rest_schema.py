"""What drf-spectacular writes into an OpenAPI schema for the serializer fields. Loaded only where it is installed."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.plumbing import append_meta

_NULLABLE = {"nullable": True}


class ThumbFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A URL and a size."""

    target_class = "thumbs.toolkit.integrations.rest.ThumbField"

    def map_serializer_field(self, _auto_schema: Any, _direction: Any) -> dict[str, Any]:
        """An object; the caller adds that it may be null."""
        return _object(_thumbnail())


class PictureFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A picture for each name."""

    target_class = "thumbs.toolkit.integrations.rest.PictureField"

    def map_serializer_field(self, _auto_schema: Any, _direction: Any) -> dict[str, Any]:
        """An object with a property for each picture of the field."""
        return _object({name: append_meta(_object(_picture()), _NULLABLE) for name in self.target.pictures})


def _thumbnail() -> dict[str, Any]:
    side = append_meta({"type": "integer", "minimum": 1}, _NULLABLE)
    return {"url": {"type": "string", "format": "uri"}, "width": side, "height": side}


def _picture() -> dict[str, Any]:
    text = {"type": "string"}
    media_type = append_meta(text, _NULLABLE)
    source = _object({"type": media_type, "srcset": text})
    sources = {"type": "array", "items": source}
    return _thumbnail() | {"type": media_type, "srcset": text, "sizes": text, "sources": sources}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}
