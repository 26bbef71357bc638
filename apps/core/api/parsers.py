"""JSON bodies, bounded: the framework's parser reads whatever comes."""

import io
import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from apps.core.exceptions import PayloadTooLargeError


class BoundedJSONParser(JSONParser):
    """Parse at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes.

    Deeper nesting than Python bears is a 400, and so is half a surrogate pair: a string that neither answer,
    log nor database could take.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLargeError(f"The request is larger than {limit} bytes.")
        try:
            parsed = super().parse(io.BytesIO(body), media_type, parser_context)
            if b"\\u" in body:
                json.dumps(parsed, ensure_ascii=False).encode()
        except RecursionError as exc:
            raise ParseError("The JSON is nested too deeply.") from exc
        except UnicodeEncodeError as exc:
            raise ParseError("The JSON holds half a surrogate pair.") from exc
        return parsed
