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

// How long something takes so far: <time data-elapsed> with its beginning.
function count() {
  for (const element of document.querySelectorAll("time[data-elapsed]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(element.dateTime)) / 1000));
    const pair = (value) => String(value).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    if (seconds < 60) element.textContent = `${seconds} s`;
    else element.textContent = hours ? `${hours}:${pair(minutes)}:${pair(seconds % 60)}` : `${pair(minutes)}:${pair(seconds % 60)}`;
  }
}

// A hidden page rests.
setInterval(() => { if (!document.hidden) refresh(); }, 5_000);
setInterval(() => { if (!document.hidden) count(); }, 1_000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
