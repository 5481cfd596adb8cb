from drf_standardized_errors.openapi import AutoSchema


class ProblemSchema(AutoSchema):  # type: ignore[misc] # the library is untyped
    """Describes endpoints to OpenAPI, with the errors that they give."""
