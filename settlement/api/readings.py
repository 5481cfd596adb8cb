"""The meters' door: a batch of CloudEvents in, an answer for each event out."""

from collections import Counter
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.parsers import LongJSONParser
from accounts.web.rendering import LongJSONRenderer
from settlement.models import Meter
from settlement.services.metering import EVENTS_MAX, Answer, NotAMeter, ingest

BATCH_TYPE = "application/cloudevents-batch+json"
STATUSES = ("accepted", "duplicate", "conflict", "rejected")


class CloudEventsBatchParser(LongJSONParser):
    """The same strict JSON under the name that CloudEvents gives a batch."""

    media_type = BATCH_TYPE


class ReadingFieldsSerializer(serializers.Serializer[Any]):
    """Counters since the device's last boot, at the end of the period."""

    boot_id = serializers.UUIDField()
    seq = serializers.IntegerField(min_value=1, help_text="rises by one with each reading")
    period_start = serializers.DateTimeField()
    period_end = serializers.DateTimeField()
    accel_ms_total = serializers.IntegerField(min_value=0, help_text="accelerator-milliseconds")
    energy_mj_total = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    util_ppm = serializers.IntegerField(
        min_value=0, max_value=1_000_000, required=False, allow_null=True
    )
    quality = serializers.ChoiceField(choices=["measured", "estimated"], required=False)


class ReadingEventSerializer(serializers.Serializer[Any]):
    """A CloudEvent 1.0. It describes the door; batches are not read row by row through it."""

    specversion = serializers.ChoiceField(choices=["1.0"])
    id = serializers.CharField(max_length=128, help_text="unique for the source, for good")
    source = serializers.CharField(help_text="the meter: mtr_...")  # type: ignore[assignment]
    type = serializers.ChoiceField(choices=["compute.reading.v1"])
    subject = serializers.CharField(help_text="ctr_.../dev_...: the contract and the device")
    data = ReadingFieldsSerializer()  # type: ignore[assignment]


class AnswerSerializer(serializers.Serializer[Any]):
    """What became of one event."""

    id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=STATUSES)
    code = serializers.CharField(help_text="why it was rejected, else empty")
    pointer = serializers.CharField(help_text="where in the event")
    detail = serializers.CharField()


class AnswersSerializer(serializers.Serializer[Any]):
    """How many events had which answer, and each answer in the order of the batch."""

    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    rejected = serializers.IntegerField()
    answers = AnswerSerializer(many=True)


class ReadingsView(APIView):
    """Takes in what a meter read. A repeat is harmless: (source, id) counts once, for good."""

    scopes = {"POST": Scope.READINGS_WRITE}
    parser_classes = [CloudEventsBatchParser]
    renderer_classes = [LongJSONRenderer]

    @extend_schema(
        operation_id="readings_report",
        request={BATCH_TYPE: ReadingEventSerializer(many=True)},
        responses=AnswersSerializer,
        tags=["settlement"],
    )
    def post(self, request: Request) -> Response:
        """Answer each event of the batch on its own; a bad one does not harm the rest."""
        caller = caller_of(request)
        meters = Meter.objects.visible_to(caller).filter(organization_id=caller.organization_id)
        meter = meters.filter(public_id=caller.meter).first()
        if meter is None:
            raise NotAMeter("Only a meter's own key reports readings.")
        answers = ingest(meter, _batch_of(request.data))
        counts = Counter[str](each.status for each in answers)
        return Response(
            {
                **{name: counts[name] for name in STATUSES},
                "answers": [_printed(each) for each in answers],
            }
        )


def _batch_of(body: object) -> list[object]:
    if not isinstance(body, list):
        raise ValidationError([ErrorDetail("A batch is an array of events.", "batch_invalid")])
    if not 1 <= len(body) <= EVENTS_MAX:
        raise ValidationError(
            [ErrorDetail(f"A batch has 1 to {EVENTS_MAX} events.", "batch_length")]
        )
    return body


def _printed(answer: Answer) -> dict[str, str | None]:
    return {
        "id": answer.event_id,
        "status": answer.status,
        "code": answer.code,
        "pointer": answer.pointer,
        "detail": answer.detail,
    }
