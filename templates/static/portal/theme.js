// Before the first paint: whoever chose no theme gets the system's.
(() => {
  const page = document.documentElement;
  const chosen = page.hasAttribute("data-bs-theme");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => page.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  if (!chosen) {
    follow();
    dark.addEventListener("change", follow);
  }
})();
