"""How each refusal of the domain reads over HTTP. The whole list, in one place."""

from http import HTTPStatus

from settlement.services import disputes, metering

REFUSALS: dict[type[Exception], tuple[HTTPStatus, str]] = {
    metering.NotAMeter: (HTTPStatus.FORBIDDEN, "not_a_meter"),
    metering.MeterRevoked: (HTTPStatus.FORBIDDEN, "meter_revoked"),
    metering.BatchTooLong: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "batch_too_long"),
    metering.DeviceTaken: (HTTPStatus.CONFLICT, "device_taken"),
    metering.WrongDevice: (HTTPStatus.UNPROCESSABLE_ENTITY, "wrong_device"),
    disputes.DisputeTooLate: (HTTPStatus.CONFLICT, "dispute_too_late"),
    disputes.NotDisputable: (HTTPStatus.CONFLICT, "not_disputable"),
    disputes.AlreadyDisputed: (HTTPStatus.CONFLICT, "already_disputed"),
    disputes.BadRuling: (HTTPStatus.UNPROCESSABLE_ENTITY, "bad_ruling"),
}
