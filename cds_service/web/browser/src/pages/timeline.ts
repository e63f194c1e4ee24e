// The timeline: takes the user's access over from the sign-in, reads the chart with it, asks the service for the course,
// and draws it. The token and the chart live in this page alone, and are gone with it.
import { AppAdapter } from "../smart/app_adapter";
import { takenOver } from "../smart/handover";
import { element } from "../dom";
import { list, messageOf, one, show } from "../page_parts";
import { readChart, type Resource, type Unread } from "../timeline/chart_reading";
import { everyChart, type Frame } from "../timeline/chart_frame";
import type { Course, NoCourse } from "../timeline/course";
import { DayAxis } from "../timeline/day_axis";
import { findingPanels, headlines } from "../timeline/findings";
import { type Banner, bannerOf } from "../timeline/patient";
import { drawMultiples, drawValues, linesList, seriesLegend, seriesTable } from "../timeline/result_charts";
import { drawSlots, slotLegend, slotNotes, slotTable } from "../timeline/slot_strip";
import { drawPhases, drawSteroid, steroidLegend, steroidTable } from "../timeline/steroid_chart";
import { fillSummary } from "../timeline/summary";
import { Texts } from "../timeline/texts";

const page = one("#timeline");
const ON_PAPER = { width: 680, mostHeight: 230 };

void open();

async function open(): Promise<void> {
  const asked = new URLSearchParams(location.search);
  const given = (name: string) => asked.get(name);
  const parameters = {
    code: given("code"),
    state: given("state"),
    error: given("error"),
    error_description: given("error_description"),
  };
  // Before anything else, so that neither the history nor a reload has them.
  history.replaceState(null, "", location.pathname);
  const kept = takenOver();
  if (!parameters.code && !parameters.error && !parameters.error_description) {
    show("unopened");
    return;
  }
  try {
    // A page that was not launched from here, or with another state, has nothing kept under this one.
    if (!parameters.error && (!parameters.state || (await kept.get(parameters.state)) === null)) {
      throw new Error(page.dataset["unknownState"]);
    }
    const client = await new AppAdapter(parameters, kept).getSmartApi().ready();
    const user = userOf(client.getFhirUser());
    const patientId = client.getPatientId();
    const authorization = client.getAuthorizationHeader();
    if (!patientId) throw new Error(page.dataset["noPatient"]);
    if (!user) throw new Error(page.dataset["noUser"]);
    if (!authorization) throw new Error(page.dataset["noToken"]);
    await read({ base: client.state.serverUrl.replace(/\/+$/, ""), authorization, patientId }, user);
    goTo(topicOf(client.state.tokenResponse?.["appContext"]));
  } catch (error) {
    refuse("refused", messageOf(error));
  }
}

async function read(access: Parameters<typeof readChart>[0], user: string): Promise<void> {
  const queries = JSON.parse(page.dataset["queries"] ?? "{}") as Record<string, string>;
  const chart = await readChart(access, queries);
  if (chart.accessRefused) {
    show("expired");
    return;
  }
  const answer = await courseOf(access.patientId, user, chart.prefetch);
  if (answer === undefined) return;
  const { unnamed = "", unborn = "" } = page.dataset;
  const named = bannerOf(chart.prefetch["patient"]);
  const banner = { name: named.name || unnamed, born: named.born || unborn };
  if (!answer.concerns) {
    one("[data-state=nothing] [data-slot=words]").textContent = answer.words;
    one("[data-state=nothing] [data-slot=not-reviewed]").textContent = answer.notReviewed;
    fillBanner(one("[data-state=nothing]"), banner);
    tellUnread(one("[data-state=nothing]"), chart.unread);
    show("nothing");
    return;
  }
  draw(answer, banner, chart.unread);
}

async function courseOf(
  patientId: string,
  userId: string,
  prefetch: Record<string, Resource>,
): Promise<Course | NoCourse | undefined> {
  const call = { hook: "patient-view", hookInstance: crypto.randomUUID(), context: { userId, patientId }, prefetch };
  let response: Response;
  try {
    response = await fetch("course", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(call),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    refuse("failed", page.dataset["noAnswer"] ?? "");
    return undefined;
  }
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return body as unknown as Course | NoCourse;
  refuse(response.status === 403 ? "forbidden" : "failed", `${outcomeText(body)} (HTTP ${response.status})`);
  return undefined;
}

function outcomeText(body: Record<string, unknown>): string {
  const issues = Array.isArray(body["issue"]) ? (body["issue"] as { details?: { text?: unknown } }[]) : [];
  return issues.map((issue) => String(issue.details?.text ?? "")).join("; ");
}

// The last two parts of what may be a whole address: Practitioner/id.
function userOf(fhirUser: string | null): string {
  return /([A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64})$/.exec(fhirUser ?? "")?.[1] ?? "";
}

// What the card that led here was about, as the EHR hands it on.
function topicOf(appContext: unknown): string {
  try {
    const context = typeof appContext === "string" ? (JSON.parse(appContext) as unknown) : appContext;
    return String((context as { topic?: unknown } | null)?.topic ?? "");
  } catch {
    return "";
  }
}

function goTo(topic: string): void {
  const panels = document.querySelectorAll<HTMLElement>("[data-topic]");
  const panel = [...panels].find((candidate) => candidate.dataset["topic"] === topic);
  if (panel === undefined) return;
  document.querySelector(`a[href="#${panel.id}"]`)?.setAttribute("aria-current", "true");
}

function refuse(state: string, reason: string): void {
  one(`[data-state=${state}] [data-slot=reason]`).textContent = reason;
  show(state);
}

function fillBanner(part: HTMLElement, banner: Banner): void {
  one("[data-slot=name]", part).textContent = banner.name;
  one("[data-slot=born]", part).textContent = banner.born;
}

function tellUnread(part: HTMLElement, unread: readonly Unread[]): void {
  const box = one("[data-slot=unread]", part);
  box.hidden = unread.length === 0;
  one("ul", box).replaceChildren(...unread.map(({ key, why }) => element("li", {}, `${key}: ${why}`)));
}

function draw(course: Course, banner: Banner, unread: readonly Unread[]): void {
  const part = one("[data-state=course]");
  const texts = new Texts(course, one("#controls"));
  texts.fill(part);
  fillBanner(part, banner);
  tellUnread(part, unread);
  one("[data-slot=infusion]", part).textContent = course.infusion.words;
  one("[data-slot=day-number]", part).textContent =
    course.dayNumber === undefined ? "" : `D${course.dayNumber < 0 ? "−" : "+"}${Math.abs(course.dayNumber)}`;
  one("[data-slot=today]", part).textContent = course.today;
  one("[data-slot=state]", part).textContent = course.steroid.state.words;
  one("[data-slot=not-reviewed]", part).textContent = course.notReviewed;
  show("course"); // shown before it is drawn: charts measure the room that they have
  drawPlot(part, course, texts);
  const found = course.cards.length > 0 ? headlines(course.cards) : element("p", {}, texts.word("noFindings"));
  one("[data-slot=headlines]", part).replaceChildren(found);
  one("[data-slot=findings]", part).replaceChildren(
    ...(course.cards.length > 0
      ? findingPanels(course.cards, page.dataset["root"] ?? "", texts)
      : [element("p", {}, texts.word("noFindings"))]),
  );
  fillSummary(one("#summary"), course, banner);
  preparePrinting();
  document.title = `${texts.word("title")} · onasemnogene-cds`;
  page.dataset["ready"] = "true";
}

function drawPlot(part: HTMLElement, course: Course, texts: Texts): void {
  const axis = new DayAxis(course);
  const frame: Frame = {
    axis,
    today: texts.word("today"),
    infusion: texts.word("infusionDay"),
    showsDays: true,
    namesLines: true,
  };
  const slot = (name: string) => one(`[data-slot=${name}]`, part);
  drawPhases(slot("phases"), course, axis);
  drawSteroid(slot("steroid"), course, frame, texts);
  slot("steroid-legend").replaceChildren(steroidLegend(course, texts));
  slot("plan").replaceChildren(list(course.steroid.plan.map((item) => item.words)));
  slot("steroid-table").replaceChildren(steroidTable(course, texts));
  drawSlots(slot("slots"), course, axis, slot("slots-told"));
  slot("slots-legend").replaceChildren(slotLegend(course));
  slot("slots-notes").replaceChildren(slotNotes(course));
  slot("slots-table").replaceChildren(slotTable(course, texts));
  const multiples = course.series.filter((series) => series.scale === "timesUln");
  drawMultiples(slot("multiples"), course, frame, texts);
  slot("multiples-legend").replaceChildren(seriesLegend(multiples, texts, texts.control("hollow")));
  slot("multiples-lines").replaceChildren(linesList(course.lines.filter((line) => line.scale === "timesUln")));
  slot("multiples-table").replaceChildren(seriesTable(multiples, texts.word("seriesHeading"), texts));
  const values = course.series.filter((series) => series.scale === "value");
  const drawnOnes = values.filter((series) => series.points.length > 0);
  for (const series of drawnOnes) {
    const isLast = series === drawnOnes.at(-1);
    const box = element("div", { class: `chart chart-small${isLast ? " with-days" : ""}` });
    const lines = course.lines.filter((line) => line.scale === "value" && line.series.includes(series.analyte));
    slot("values").append(element("div", { class: "small" }, box, linesList(lines)));
    drawValues(box, series, course, { ...frame, showsDays: isLast, namesLines: false }, texts);
  }
  for (const series of values.filter((one) => !drawnOnes.includes(one))) {
    slot("values").append(element("p", { class: "soft none" }, `${series.name}: ${texts.word("noResults")}`));
  }
  slot("values-table").replaceChildren(seriesTable(values, texts.word("valuesHeading"), texts));
  // In a narrow window the drawings scroll: they begin with today in the middle.
  const box = one(".plot-box", part);
  box.scrollLeft = axis.fraction(axis.today) * box.scrollWidth - box.clientWidth / 2;
}

function preparePrinting(): void {
  one("#print-summary").addEventListener("click", () => {
    document.body.classList.remove("prints-everything");
    print();
  });
  one("#print-everything").addEventListener("click", () => {
    document.body.classList.add("prints-everything");
    print();
  });
  addEventListener("beforeprint", () => {
    for (const chart of everyChart) chart.resize(ON_PAPER.width, Math.min(chart.height, ON_PAPER.mostHeight));
  });
  addEventListener("afterprint", () => {
    document.body.classList.remove("prints-everything");
    for (const chart of everyChart) chart.resize();
  });
}
