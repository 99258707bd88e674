// Light, dark or the system's: kept in a cookie, so that the server writes it into the page before it is painted.
const COOKIE = "roadbed_theme";
const YEAR_SECONDS = 31_536_000;

function choose(name) {
  const isForced = name === "light" || name === "dark";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${isForced ? name : ""}; Path=/; Max-Age=${isForced ? YEAR_SECONDS : 0}; SameSite=Lax${secure}`;
  if (isForced) document.documentElement.dataset.bsTheme = name;
  else delete document.documentElement.dataset.bsTheme;
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === name));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-set]");
  if (button) choose(button.dataset.themeSet);
});
