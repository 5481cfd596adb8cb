"""What OpenAPI says of every endpoint: its key, its errors, its idempotency."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter
from drf_standardized_errors.openapi import AutoSchema
from rest_framework import serializers

from accounts.models.idempotency import KEY_LENGTH_MAX
from accounts.web.idempotency import HEADER, is_idempotent
from accounts.web.problems import CONTENT_TYPE

WRITES = ("POST", "PUT", "PATCH", "DELETE")
# What REST framework does not know that we answer to what writes.
OF_WRITES = ("402", "409", "412", "413", "422", "428", "503")


class PointedErrorSerializer(serializers.Serializer[Any]):
    """One thing that is wrong: a JSON pointer into the body (or /name of a query parameter)."""

    pointer = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem document (RFC 9457); ``code`` is stable, ``detail`` is for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField()
    errors = PointedErrorSerializer(many=True)  # type: ignore[assignment] # a field of this name


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How OpenAPI is told of our keys."""

    target_class = "accounts.web.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme: a bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "key_<id>.<secret>"}


class ProblemSchema(AutoSchema):
    """Describes endpoints to OpenAPI, with the problem documents that they answer."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return that open market data may also be read without a key."""
        auths: list[dict[str, list[str]]] = super().get_auth()
        is_open = getattr(self.view, "public", False) and {} not in auths
        return [*auths, {}] if is_open else auths

    def get_override_parameters(self) -> list[Any]:
        """Return the header that creating endpoints ask for."""
        parameters: list[Any] = super().get_override_parameters()
        if not self._is_idempotent():
            return parameters
        schema = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX}
        header = OpenApiParameter(
            HEADER,
            schema,
            OpenApiParameter.HEADER,
            required=True,
            description="a fresh value for each thing to create; a repeat gets the first answer",
        )
        return [*parameters, header]

    def _is_idempotent(self) -> bool:
        return is_idempotent(getattr(self.view, str(self.method).lower(), None)) or is_idempotent(
            getattr(self.view, getattr(self.view, "action", None) or "", None)
        )

    def _get_allowed_error_status_codes(self) -> list[str]:
        codes: list[str] = super()._get_allowed_error_status_codes()
        return [*codes, *OF_WRITES] if self.method in WRITES else [*codes, "503"]

    def _should_add_validation_error_response(self) -> bool:
        return True  # Every endpoint refuses an address with a NUL, lists a wrong cursor.

    def _get_error_response_serializer(self, status_code: str) -> type[ProblemSerializer]:
        return ProblemSerializer

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: Any = None,
        direction: str = "response",
    ) -> Any:
        is_error = status_code[:1] in "45"
        media_types = [CONTENT_TYPE] if is_error else media_types
        return super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, media_types, direction
        )
