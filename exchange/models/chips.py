"""What work runs on, and what it runs: accelerator models and open-weight AI models."""

from django.db import models
from django.db.models import Q

from exchange.models.columns import code, code_shaped, holds, known
from exchange.models.network import OpenQuerySet

GIBIBYTE = 2**30
DTYPE_BITS = {"fp32": 32, "bf16": 16, "fp16": 16, "fp8": 8, "int8": 8, "int4": 4}
DTYPE_DEFAULT = "bf16"
# Room beside the weights for activations and the key-value cache: our assumption, one for all.
SERVING_OVERHEAD_PERCENT = 120
MODALITIES = ["text", "vision-language", "embedding", "video", "image", "speech"]


class AcceleratorKind(models.TextChoices):
    """What buyers count: GPU-hours or NPU-hours."""

    GPU = "gpu", "GPU"
    NPU = "npu", "NPU"


class Grade(models.TextChoices):
    """How well the figures are known; only A and B may be traded."""

    A = "A", "vendor documentation, a measurement, or two sources that agree"
    B = "B", "one secondary source, or a derivation that is stated"
    C = "C", "contradictory or not found: unverified"


class Accelerator(models.Model):
    """A chip model. FP16 dense TFLOPS, watts and memory; empty where no source gave a figure."""

    code = code()
    name = models.CharField(max_length=120)
    vendor = models.CharField(max_length=80)
    vendor_country = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=3, choices=AcceleratorKind)
    domestic = models.BooleanField()
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    memory_gb = models.PositiveIntegerField(null=True, blank=True, help_text="GiB")
    tflops_micros = models.BigIntegerField(null=True, blank=True)
    watts_micros = models.BigIntegerField(null=True, blank=True)
    grade = models.CharField(max_length=1, choices=Grade)
    tradable = models.BooleanField()
    note = models.TextField(blank=True)
    source = models.TextField()

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            code_shaped("code", name="accelerator_code_shaped"),
            known("kind", AcceleratorKind.values, name="accelerator_kind_known"),
            known("grade", Grade.values, name="accelerator_grade_known"),
            holds(
                "accelerator_traded_only_on_figures",
                Q(tradable=False)
                | Q(grade__in=[Grade.A, Grade.B], tflops_micros__gt=0, watts_micros__gt=0)
                & Q(memory_gb__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class AiModel(models.Model):
    """An open-weight model: enough to say how much memory its weights take."""

    code = code()
    name = models.CharField(max_length=160)
    developer = models.CharField(max_length=120, blank=True)
    developer_country = models.CharField(max_length=40, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    params_total = models.BigIntegerField(help_text="parameters")
    params_active = models.BigIntegerField(null=True, blank=True)
    context_tokens = models.PositiveIntegerField(null=True, blank=True)
    modality = models.CharField(max_length=40)
    licence = models.CharField(max_length=120, blank=True)
    source = models.TextField()

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            code_shaped("code", name="ai_model_code_shaped"),
            known("modality", MODALITIES, name="ai_model_modality_known"),
            holds("ai_model_has_parameters", Q(params_total__gt=0)),
        ]

    def __str__(self) -> str:
        return self.code

    def weight_bytes(self, *, dtype: str = DTYPE_DEFAULT) -> int:
        """Return the bytes of the weights at ``dtype``, rounded up."""
        return -(-self.params_total * DTYPE_BITS[dtype] // 8)

    def accelerators_needed(self, memory_gb: int, *, dtype: str = DTYPE_DEFAULT) -> int:
        """Return how many accelerators of ``memory_gb`` hold the weights and the overhead."""
        needed = self.weight_bytes(dtype=dtype) * SERVING_OVERHEAD_PERCENT
        return -(-needed // (100 * memory_gb * GIBIBYTE))
