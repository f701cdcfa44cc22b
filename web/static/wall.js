// Keeps a part of a page as the hub has it, without a reload: asks every other second whether something changed.
// Without scripts the page says so in its head and is loaded anew by the browser.
"use strict";
(() => {
  const part = document.querySelector("[data-live]");
  if (!part) return;
  const said = document.getElementById("live");
  const pause = 2000;

  // What a row showed, so that those that changed can be seen for a moment.
  const sums = () => new Map([...part.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row.dataset.sum]));

  const put = (text) => {
    const before = sums();
    const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const scrolled = [...part.querySelectorAll(".wide")].map((one) => one.scrollLeft);
    part.innerHTML = text;
    part.querySelectorAll(".wide").forEach((one, at) => { one.scrollLeft = scrolled[at] || 0; });
    for (const row of part.querySelectorAll("[data-key]")) {
      if (before.get(row.dataset.key) !== row.dataset.sum) row.classList.add("changed");
    }
    if (focused) [...part.querySelectorAll("a")].find((one) => one.getAttribute("href") === focused)?.focus();
  };

  const say = (failing) => {
    if (said.classList.contains("bad") === failing) return;
    said.classList.toggle("bad", failing);
    said.textContent = failing ? said.dataset.failing : said.dataset.living;
  };

  const look = async () => {
    try {
      const asked = new URL(part.dataset.live, location.href);
      asked.searchParams.set("mark", part.firstElementChild.dataset.mark);
      const answer = await fetch(asked, { headers: { Accept: "text/html" }, redirect: "manual" });
      if (answer.type === "opaqueredirect") return location.reload(); // the sign-in is over
      if (answer.status === 200) put(await answer.text());
      say(answer.status !== 200 && answer.status !== 204);
    } catch {
      say(true);
    }
    return setTimeout(look, pause);
  };
  setTimeout(look, pause);
})();
