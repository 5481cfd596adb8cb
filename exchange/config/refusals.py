"""How each refusal of the domain reads over HTTP. The whole list, in one place."""

from http import HTTPStatus

REFUSALS: dict[type[Exception], tuple[HTTPStatus, str]] = {}
