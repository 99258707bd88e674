// Keeps ages fresh: <time data-ago="long|short">. The words are those of roadbed/kit/text.py.
const UNITS = [[31_536_000, "year", "y"], [86_400, "day", "d"], [3_600, "h", "h"], [60, "min", "min"], [1, "s", "s"]];

function age(at, isShort) {
  const seconds = Math.floor((Date.now() - at) / 1000);
  const [size, word, short] = UNITS.find(([unit]) => Math.abs(seconds) >= unit) ?? UNITS.at(-1);
  const count = Math.floor(Math.abs(seconds) / size);
  if (isShort) return `${count} ${short}`;
  if (count === 0) return "just now";
  const phrase = `${count} ${word}${(word === "day" || word === "year") && count !== 1 ? "s" : ""}`;
  return seconds < 0 ? `in ${phrase}` : `${phrase} ago`;
}

function refresh() {
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const at = Date.parse(element.dateTime);
    const text = Number.isNaN(at) ? element.textContent : age(at, element.dataset.ago === "short");
    if (text !== element.textContent) element.textContent = text;
  }
}

// Ages under a minute move each second; a hidden page rests.
setInterval(() => { if (!document.hidden) refresh(); }, 5_000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
