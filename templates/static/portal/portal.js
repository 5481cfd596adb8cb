// What makes the portal nicer where scripts run; every page works without.
(() => {
  const openMenus = () => document.querySelectorAll("details.menu[open]");

  // A menu closes when one clicks elsewhere or presses Escape.
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // At a first visit the next page learns which zone this reader's clock is in.
  if (!/(^|; )zone=/.test(document.cookie)) {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    if (timeZone) document.cookie = `zone=${timeZone}; path=/; max-age=31536000; SameSite=Lax`;
  }

  // One box ticks all of a list; it stands there only where scripts run.
  const showTickers = () => {
    for (const box of document.querySelectorAll("input[data-checks]")) box.hidden = false;
  };
  document.addEventListener("change", ({ target }) => {
    if (!target.dataset || !target.dataset.checks) return;
    for (const box of document.getElementsByName(target.dataset.checks)) box.checked = target.checked;
  });
  document.addEventListener("htmx:afterSettle", showTickers);
  showTickers();

  // A form is sent once: a second click while the answer is on its way does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent === "yes") event.preventDefault();
    else if (form.method === "post") form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // After a refused form, the reader starts at what is wrong.
  const wrong = document.querySelector(".is-invalid, [role=alert]");
  if (wrong) {
    if (!wrong.matches("input, select, textarea")) wrong.tabIndex = -1;
    wrong.focus();
  }
})();
