from drf_standardized_errors.openapi import AutoSchema


class ProblemSchema(AutoSchema):
    """Describes endpoints to OpenAPI, with the errors that they give."""
