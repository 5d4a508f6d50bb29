// Opens pages in headless Chromium and says what it saw. Reads {"executable", "jobs": [{"page", "widths", "images"}]}
// as JSON from standard input; `images` are PNG files by width, `390-dark` in the dark scheme; `axe` is axe-core's file,
// or null; `expected` is a selector of what the page may have beside text (a script, links elsewhere), `acts` are values
// that a person gives to its controls, one object {selector: value} a turn. Gives one object a job on standard output.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const PRINTED = { width: 680, height: 962 }; // A4 less the page's margins, in CSS pixels
const TOP = 1800; // how much of a page its image has

// What the page is at its present width. Runs in the page.
const look = (expected) => {
  const root = document.documentElement;
  const all = (what) => [...document.querySelectorAll(what)];
  const box = (each) => each.getBoundingClientRect();
  const told = (each) => `${each.tagName}.${each.getAttribute("class")}: ${each.textContent.slice(0, 60)}`;
  const reachesOut = (each) => {
    if (each.closest("thead") && getComputedStyle(each.closest("thead")).position === "absolute") return false;
    const { left, right, width } = box(each);
    const cut = each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1;
    return width > 0 && (cut || left < -1 || right > root.clientWidth + 1);
  };
  const labels = all("svg text").map((each) => ({ text: each.textContent, at: box(each) })).filter((each) => each.at.width);
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const inked = (cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return [...range.getClientRects()].filter((each) => each.width > 0);
  };
  const touch = ([a, b]) => {
    if (getComputedStyle(b).display !== "table-cell" || !inked(a).length || !inked(b).length) return false;
    return Math.min(...inked(b).map((each) => each.left)) - Math.max(...inked(a).map((each) => each.right)) < 4;
  };
  return {
    scrollWidth: root.scrollWidth,
    clientWidth: root.clientWidth,
    text: document.body.innerText,
    outside: all("body *").filter(reachesOut).slice(0, 5).map(told),
    active: all("script, img, iframe, object, embed, link, base, form, a:not([href^=\"#\"])")
      .filter((each) => !expected || !each.matches(expected)).length
      + all("*").filter((each) => each.getAttributeNames().some((name) => name.startsWith("on"))).length,
    bars: all("rect.bar[data-phase]").map((each) => ({ phase: each.dataset.phase, left: box(each).left, width: box(each).width })),
    track: all("rect.track").map((each) => box(each).width)[0],
    touching: all("tr").flatMap((row) => [...row.children].slice(1).map((cell, n) => [row.children[n], cell])).filter(touch)
      .slice(0, 5).map(([a, b]) => `${told(a)} | ${told(b)}`),
    overlaps: labels.flatMap((a, i) => labels.slice(i + 1).filter((b) => meet(a.at, b.at)).map((b) => `${a.text} | ${b.text}`)),
  };
};

// The first cells of the rows that are shown, in order, and what the page says of their number. Runs in the page.
const shown = () => ({
  rows: [...document.querySelectorAll("#rows tr")].filter((each) => each.getClientRects().length).map((each) => each.cells[0].innerText),
  said: document.getElementById("shown")?.innerText,
});

// The page as it is where no scripts run.
const plain = async (browser, address) => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(address);
  const seen = { rows: await page.locator("#rows tr:visible").count(), controls: await page.locator("#controls:visible").count() };
  await page.close();
  return seen;
};

const act = async (page, values) => {
  for (const [selector, value] of Object.entries(values)) {
    const control = page.locator(selector);
    if (await control.evaluate((each) => each.tagName === "SELECT")) await control.selectOption(value);
    else await control.fill(value);
  }
  return page.evaluate(shown);
};

// What axe finds serious, or worse; long sections are opened for it.
const wrong = async (page, file) => {
  await page.evaluate(`${readFileSync(file, "utf8")}; document.querySelectorAll("details").forEach((each) => { each.open = true; })`);
  const found = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = false; }));
  return found.violations.filter((each) => ["serious", "critical"].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.map((node) => `${node.target} ${node.any.map((one) => one.message)}`).slice(0, 3)}`);
};

const open = async (browser, job) => {
  const seen = { troubles: [], requests: [], axe: [], widths: {} };
  const page = await browser.newPage();
  const address = pathToFileURL(job.page).href;
  page.on("console", (message) => seen.troubles.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => seen.troubles.push(String(error)));
  page.on("dialog", (dialog) => seen.troubles.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  page.on("request", (request) => request.url() === address || seen.requests.push(request.url()));
  await page.goto(address);
  seen.openedMs = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
  for (const width of job.widths) {
    await page.setViewportSize({ width, height: 900 });
    seen.widths[width] = await page.evaluate(look, job.expected);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme });
      const path = job.images[scheme === "dark" ? `${width}-dark` : width];
      if (path) await page.screenshot({ path, clip: { x: 0, y: 0, width, height: TOP }, fullPage: true });
      if (job.axe) seen.axe.push(...(await wrong(page, job.axe)).map((each) => `${width} ${scheme}: ${each}`));
    }
    await page.emulateMedia({ colorScheme: "light" });
  }
  if (job.acts) {
    seen.acts = [];
    for (const values of job.acts) seen.acts.push(await act(page, values));
    seen.plain = await plain(browser, address);
  }
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize(PRINTED);
  const paper = (await page.pdf({ preferCSSPageSize: true, printBackground: true, path: job.pdf })).toString("latin1");
  seen.print = { pages: paper.match(/\/Type\s*\/Page\b/g)?.length ?? 0, ...(await page.evaluate(look, job.expected)) };
  await page.close();
  return seen;
};

const { executable, jobs } = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox", "--disable-gpu"] });
const seen = [];
for (const job of jobs) seen.push(await open(browser, job));
await browser.close();
process.stdout.write(JSON.stringify(seen));
