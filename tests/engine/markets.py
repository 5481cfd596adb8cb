"""Four small markets with their right answers, worked out by hand."""

from tests.engine.hand import Answer, make_book

# One site, two hours. Four accelerators at 1, two tied offers of 3 at 3, five at 9 in hour 1 only.
# The hourly bid takes 4 an hour, the gang 2 for both, the volume bid 2 in either: price 3.
PLAIN = make_book(
    {"periods": 2},
    regions=["here"],
    accelerators=["gpu,0,100,0", "npu,1,100,0"],
    sites=["hall,here,1,0.2", "shed,here,1,0.2"],
    routes=["in,here,here,1,", "slow,here,here,9,"],
    offers=[
        "o1,hall,gpu,0,2,4,1",
        "o2,hall,gpu,0,2,3,3",
        "o3,hall,gpu,0,2,3,3",
        "o4,hall,gpu,1,2,5,9",
    ],
    bids=[
        "hour,hourly,here,4,10,0,2,,,2,0,,,",
        "gang,block,here,2,6,0,2,2,,,0,job,,",
        "half,block,here,1,5,0,2,2,,,0,job,,",
        "late,block,here,2,2,0,2,1,,,0,,,",
        "work,volume,here,2,8,0,2,,2,,0,,,",
        "soon,hourly,here,1,1,0,1,,,,0,,,",
    ],
    bid_accelerators=[
        "soon,gpu,1",
        "hour,gpu,1",
        "gang,gpu,1",
        "half,gpu,1",
        "late,gpu,1",
        "work,gpu,1",
    ],
)
HOUR0 = ("hour", "hall", "gpu", 0, "in", "4")
GANG0 = ("gang", "hall", "gpu", 0, "in", "2")
GANG1 = ("gang", "hall", "gpu", 1, "in", "2")
WORK0 = ("work", "hall", "gpu", 0, "in", "2")
PLAIN_ANSWER = Answer(
    cells={("hall", "gpu", 0): "3", ("hall", "gpu", 1): "3"},
    bids=[HOUR0, ("hour", "hall", "gpu", 1, "in", "4"), GANG0, GANG1, WORK0],
    offers=[
        ("o1", 0, "4"),
        ("o2", 0, "2"),
        ("o3", 0, "2"),
        ("o1", 1, "4"),
        ("o2", 1, "1"),
        ("o3", 1, "1"),
    ],
)

# Ten units wanted in the east; four there at 5, plenty in the west at 2, four through the link.
COUPLED = make_book(
    {"periods": 1},
    regions=["east", "west"],
    accelerators=["gpu,0,100,0"],
    sites=["e,east,1,0", "w,west,1,0.5"],
    routes=["ee,east,east,1,", "ew,east,west,10,l free", "ww,west,west,1,"],
    links=["l,,0.4"],
    offers=["oe,e,gpu,0,1,4,5", "ow,w,gpu,0,1,20,2"],
    bids=["far,hourly,east,10,10,0,1,,,20,0.1,,,", "near,hourly,west,1,9,0,1,,,,0,,west,0.5"],
    bid_accelerators=["far,gpu,1", "near,gpu,1"],
)
FAR_E = ("far", "e", "gpu", 0, "ee", "4")
FAR_W = ("far", "w", "gpu", 0, "ew", "4")
NEAR = ("near", "w", "gpu", 0, "ww", "1")
COUPLED_ANSWER = Answer(
    cells={("e", "gpu", 0): "10", ("w", "gpu", 0): "2"},
    bids=[FAR_E, FAR_W, NEAR],
    offers=[("oe", 0, "4"), ("ow", 0, "5")],
    links={("l", 0): "80"},
)

# A kilowatt per accelerator and a budget of two: the power price is what lies between 10 and 4.
POWERED = make_book(
    {"periods": 1},
    regions=["here", "there"],
    accelerators=["gpu,0,100,800"],
    sites=["hall,here,1.25,0"],
    routes=["in,here,here,1,"],
    power=["here,0,2"],
    offers=["o,hall,gpu,0,1,5,4"],
    bids=["b,hourly,here,5,10,0,1,,,,0,,,"],
    bid_accelerators=["b,gpu,1"],
)
POWERED_ANSWER = Answer(
    cells={("hall", "gpu", 0): "10"},
    bids=[("b", "hall", "gpu", 0, "in", "2")],
    offers=[("o", 0, "2")],
    power={("here", 0): "6"},
)

# Half of all TFLOPS must be domestic: 4 + 0.04 x 50 = 6 for the one, 4 - 2 = 2 for the other.
SHARED = make_book(
    {"periods": 1, "min_domestic_share": "0.5"},
    regions=["here"],
    accelerators=["gpu,0,100,0", "npu,1,100,0"],
    sites=["hall,here,1,0"],
    routes=["in,here,here,1,"],
    offers=["og,hall,gpu,0,1,9,2", "on,hall,npu,0,1,9,6"],
    bids=["b,hourly,here,4,10,0,1,,,,0,,,"],
    bid_accelerators=["b,gpu,1", "b,npu,1"],
)
SHARED_ANSWER = Answer(
    cells={("hall", "gpu", 0): "4", ("hall", "npu", 0): "4"},
    bids=[("b", "hall", "gpu", 0, "in", "2"), ("b", "hall", "npu", 0, "in", "2")],
    offers=[("og", 0, "2"), ("on", 0, "2")],
    share="0.04",
)

RIGHT = (
    # Hourly 4 x 10 twice, gang 2 x 6 twice, volume 2 x 8; sold 8 at 1 and 6 at 3.
    (PLAIN, PLAIN_ANSWER, 80 + 24 + 16 - 8 - 18),
    (COUPLED, COUPLED_ANSWER, 4 * (10 - 5) + 4 * (10 - 2) + (9 - 2)),
    (POWERED, POWERED_ANSWER, 2 * (10 - 4)),
    (SHARED, SHARED_ANSWER, 2 * (10 - 2) + 2 * (10 - 6)),
)
