"""Pictures of a running demo: ``make screenshots`` writes them to the ignored folder screenshots/.

``python -m tests.browser.pictures [URL]``; the README's picture was picked from these.
"""

import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from exchange.management.demo.platform import LOGINS, PASSWORD
from tests.browser.conftest import DESKTOP, FLAGS, SCREENSHOTS, find_chromium

ADDRESS: Final = "http://127.0.0.1:8000"
PICTURES: Final = {
    "": ("market/", "market/curves/", "market/map/", "market/index/", "market/auctions/"),
    "provider": ("offers/", "capacity/", "contracts/", "statements/"),
    "buyer": ("money/", "contracts/", "statements/"),
}
SETTLED_MS: Final = 1_500  # charts draw themselves


def take_pictures(address: str, folder: Path) -> None:
    """Take a picture of every page, as a visitor and as each of the demo's people."""
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for role, pages in PICTURES.items():
            context = browser.new_context(
                base_url=address,
                viewport=DESKTOP,  # type: ignore[arg-type]
                locale="en-GB",
                timezone_id="Asia/Shanghai",
            )
            page = context.new_page()
            if role:
                _sign_in(page, role)
            for path in pages:
                page.goto(f"/{path}")
                page.wait_for_timeout(SETTLED_MS)
                name = path.strip("/").replace("/", "-")
                page.screenshot(path=folder / f"demo-{role or 'visitor'}-{name}.png")
            context.close()
        browser.close()


def _sign_in(page: Page, role: str) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", LOGINS[role])
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state()
    assert "/login" not in page.url, f"{LOGINS[role]} cannot sign in at {page.url}"


if __name__ == "__main__":
    take_pictures(sys.argv[1] if sys.argv[1:] else ADDRESS, SCREENSHOTS)
