"""The 31 provinces of the mainland as regions of a market: where they are, who buys, who sells.

Coordinates are those of the capitals, to a tenth of a degree. ``buys`` is the weight of a
province's jobs, about its product of 2023 in trillion yuan; ``sells`` the weight of its sites. Both
weights are assumed here, as is the class of power use effectiveness, by the side of the country.
Those with the greatest weights stand first, east and west in turn, so that the first few are a
market too.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

EAST, WEST = Decimal("1.25"), Decimal("1.20")


@dataclass(frozen=True, slots=True)
class Province:
    """``prices`` is the region of the price list that is taken for it."""

    code: str
    north: float
    east: float
    buys: float
    sells: float
    pue: Decimal
    prices: str


PROVINCES: Final = (
    Province("guangdong", 23.1, 113.3, 13.6, 7, EAST, "cn-guangzhou"),
    Province("neimenggu", 40.8, 111.7, 2.5, 14, WEST, "cn-wulanchabu"),
    Province("jiangsu", 32.1, 118.8, 12.8, 5, EAST, "cn-shanghai"),
    Province("sichuan", 30.6, 104.1, 6.0, 7, WEST, "cn-chengdu"),
    Province("beijing", 39.9, 116.4, 4.4, 4, EAST, "cn-beijing"),
    Province("guizhou", 26.6, 106.7, 2.1, 10, WEST, "cn-chengdu"),
    Province("shanghai", 31.2, 121.5, 4.7, 4, EAST, "cn-shanghai"),
    Province("ningxia", 38.5, 106.2, 0.5, 8, WEST, "cn-wulanchabu"),
    Province("zhejiang", 30.3, 120.2, 8.3, 3, EAST, "cn-hangzhou"),
    Province("gansu", 36.1, 103.8, 1.2, 6, WEST, "cn-wulanchabu"),
    Province("shandong", 36.7, 117.0, 9.2, 3, EAST, "cn-zhangjiakou"),
    Province("chongqing", 29.6, 106.5, 3.0, 3, WEST, "cn-chengdu"),
    Province("hebei", 38.0, 114.5, 4.4, 8, EAST, "cn-zhangjiakou"),
    Province("xinjiang", 43.8, 87.6, 1.9, 4, WEST, "cn-wulanchabu"),
    Province("henan", 34.8, 113.7, 5.9, 2, EAST, "cn-zhangjiakou"),
    Province("shaanxi", 34.3, 108.9, 3.4, 2, WEST, "cn-chengdu"),
    Province("hubei", 30.6, 114.3, 5.6, 2, EAST, "cn-hangzhou"),
    Province("yunnan", 25.0, 102.7, 3.0, 3, WEST, "cn-chengdu"),
    Province("fujian", 26.1, 119.3, 5.4, 1, EAST, "cn-hangzhou"),
    Province("qinghai", 36.6, 101.8, 0.4, 3, WEST, "cn-wulanchabu"),
    Province("hunan", 28.2, 112.9, 5.0, 1, EAST, "cn-guangzhou"),
    Province("guangxi", 22.8, 108.4, 2.7, 1, WEST, "cn-guangzhou"),
    Province("anhui", 31.8, 117.2, 4.7, 3, EAST, "cn-hangzhou"),
    Province("shanxi", 37.9, 112.5, 2.6, 3, WEST, "cn-zhangjiakou"),
    Province("jiangxi", 28.7, 115.9, 3.2, 1, EAST, "cn-hangzhou"),
    Province("liaoning", 41.8, 123.4, 3.0, 1, EAST, "cn-zhangjiakou"),
    Province("heilongjiang", 45.8, 126.5, 1.6, 1, EAST, "cn-zhangjiakou"),
    Province("jilin", 43.8, 125.3, 1.4, 1, EAST, "cn-zhangjiakou"),
    Province("tianjin", 39.1, 117.2, 1.7, 1, EAST, "cn-beijing"),
    Province("hainan", 20.0, 110.2, 0.8, 1, EAST, "cn-guangzhou"),
    Province("xizang", 29.7, 91.1, 0.2, 1, WEST, "cn-chengdu"),
)
