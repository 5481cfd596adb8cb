"""What no trace says and the importer therefore assumes: every figure here, and nowhere else."""

from decimal import Decimal

ORIGINS = ("zhangjiakou", "yrd-demo", "wuhu", "shaoguan", "tianfu", "chongqing")
SITE_WEIGHTS = {
    "zhangjiakou": 3,
    "yrd-demo": 2,
    "wuhu": 1,
    "shaoguan": 2,
    "tianfu": 1,
    "chongqing": 1,
    "guian": 2,
    "horinger": 3,
    "qingyang": 1,
    "zhongwei": 2,
}
PRICE_REGIONS = {
    "zhangjiakou": "cn-zhangjiakou",
    "yrd-demo": "cn-shanghai",
    "wuhu": "cn-hangzhou",
    "shaoguan": "cn-guangzhou",
    "tianfu": "cn-chengdu",
    "chongqing": "cn-chengdu",
}
PRICE_REGION_ELSEWHERE = "cn-wulanchabu"
ACCELERATOR_OF_MODEL = {
    "A10": "a10-24gb",
    "A100-SXM4-80GB": "a100-sxm4-80gb",
    "A800-SXM4-80GB": "a100-sxm4-80gb",
}
PRICED_AS = {"a10-24gb": "A10", "a100-sxm4-80gb": "A100-80GB"}
DOMESTIC_TWIN = {"a100-sxm4-80gb": "ascend-910b3", "a10-24gb": "mlu370-x8"}
DOMESTIC_SHARE_OF_PROVIDERS = 0.6
NODES_PER_PROVIDER = 40
ASK_SPREAD = (0.85, 1.15)
SPOT_QUANTILE_MAX = 0.6
FIRST_HOURS = (0, 0, 0, 6, 12)
RENEWABLE_SHARE = (0.3, 0.9)

SMALLEST_JOB_GPU_HOURS = 0.1
BEST_EFFORT_SHARE = 0.43
SINGLE_GPU_ON_BIG_CHIP = 0.3
GANG_SIZE_MIN = 4
BEST_EFFORT_PREMIUM = 1.1
OTHER_CHIP_ACCEPTED = 0.8
FACTOR_MIN = 0.3
SLACK_HOURS = ((0.36, 0), (0.60, 1), (0.82, 2), (0.92, 5), (0.97, 12), (1.0, 23))
LATENCY_MS_MAX = (Decimal(5), Decimal(10), None)
GBPS = (Decimal(0), Decimal("0.01"), Decimal("0.1"))
NAMES_REGIONS_SHARE = 0.10
REGIONS_NAMED = 4
GREEN_SHARE = 0.05
GREEN_MIN = Decimal("0.5")
ELASTIC_SHARE = 0.5
PERIODS = 24

EXPLANATIONS = (
    "jobs come from the six eastern and southwestern hubs, each tenant from one of them",
    f"a job under {SMALLEST_JOB_GPU_HOURS} GPU-hours places no bid; a longer one is cut to a day",
    (
        f"{BEST_EFFORT_SHARE:.0%} of the jobs are best effort (any hour, limit near the spot "
        "price); the others are urgent, pay up to the list price and can wait 0 to 23 hours"
    ),
    (
        f"jobs of {GANG_SIZE_MIN} GPUs or more, and {SINGLE_GPU_ON_BIG_CHIP:.0%} of the others, "
        "want the A100 80 GB first, the rest the A10; other chips are accepted by their FP16 TFLOPS"
    ),
    (
        "an hour or less on fewer than four GPUs is an hourly bid, a best-effort small job a "
        "volume bid, everything else a block"
    ),
    (
        f"{ELASTIC_SHARE:.0%} of the gangs also bid for half the size at twice the hours (a "
        f"group); {NAMES_REGIONS_SHARE:.0%} of the jobs name regions, {GREEN_SHARE:.0%} a "
        "renewable share"
    ),
    (
        f"{NODES_PER_PROVIDER} nodes in a row belong to one provider, who has one site; "
        f"{DOMESTIC_SHARE_OF_PROVIDERS:.0%} of the providers run domestic chips in their place and "
        "ask the same per TFLOPS"
    ),
    "providers ask a spot price of their region, give or take 15 %",
)
