// The market as it happens: counts down to gates, and shows what is published as it is.
(() => {
  const bar = document.getElementById("live");
  if (!bar || !window.EventSource) return;
  const words = bar.dataset;
  bar.hidden = false;
  let ahead = 0; // of the market's clock before this computer's, in milliseconds

  const parts = (seconds) =>
    [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) =>
      String(Math.floor(part)).padStart(2, "0"),
    );
  const tick = () => {
    const now = Date.now() + ahead;
    for (const place of document.querySelectorAll(".countdown[data-until]")) {
      const seconds = Math.floor((Date.parse(place.dataset.until) - now) / 1000);
      place.hidden = seconds < 0 || !place.dataset.until;
      const days = Math.floor(seconds / 86400);
      place.textContent = `${days > 0 ? `${days} d ` : ""}${parts(seconds % 86400).join(":")}`;
    }
  };

  const say = (text) => {
    bar.querySelector("[data-news]").textContent = text;
  };
  const showPrices = (indices) => {
    for (const row of indices) {
      const cell = document.querySelector(
        `[data-index="${CSS.escape(`${row.accelerator}/${row.region}`)}"]`,
      );
      if (cell && row.index) cell.textContent = row.index;
    }
  };
  const renew = () => {
    const page = document.querySelector("[data-live=yes]");
    if (!page || !window.htmx) return;
    // Not all readers at the same moment.
    setTimeout(() => {
      window.htmx.ajax("GET", window.location.href, {
        source: page,
        target: page,
        select: `#${page.id}`,
        swap: "outerHTML",
      });
    }, Math.random() * 2000);
  };

  const news = {
    clock: ({ now, gate }) => {
      ahead = Date.parse(now) - Date.now();
      const place = bar.querySelector(".countdown");
      if (place) place.dataset.until = gate ? gate.closes_at : "";
      bar.querySelector("[data-gate]").hidden = !gate;
      tick();
    },
    auction: (auction) => {
      say(`${auction.series}: ${words[auction.state] || auction.state}`);
      if (auction.indices) showPrices(auction.indices);
      if (auction.state === "published" || auction.state === "voided") renew();
    },
    halt: (halt) => {
      const part = halt.part ? ` (${halt.part})` : "";
      say(halt.frozen ? `${words.halted}${part}: ${halt.reason}` : `${words.resumed}${part}`);
      renew();
    },
    reset: renew,
  };

  const source = new EventSource(words.stream);
  for (const [name, hear] of Object.entries(news)) {
    source.addEventListener(name, (event) => hear(JSON.parse(event.data)));
  }
  source.addEventListener("open", () => bar.classList.add("connected"));
  source.addEventListener("error", () => bar.classList.remove("connected"));
  window.addEventListener("pagehide", () => source.close());
  setInterval(tick, 1000);
  tick();
})();
