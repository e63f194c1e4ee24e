// The corticosteroid: a bar for each day, above it the phases of the course as bands.
import type { ChartConfiguration } from "chart.js";
import { element } from "../dom";
import { type DrawnPoint, drawn, fixedWidth, type Frame, hatched, pointTo, questionMark } from "./chart_frame";
import type { Course, SteroidDay } from "./course";
import { type DayAxis, placeOf } from "./day_axis";
import { makeReadable, tableOf } from "./readable_chart";
import { BLUE, GRID, INK, SOFT, VERMILION } from "./signs";
import type { Texts } from "./texts";

export function drawPhases(strip: HTMLElement, course: Course, axis: DayAxis): void {
  for (const phase of course.steroid.phases) {
    const from = axis.fraction(placeOf(phase.from) - 0.5);
    const to = axis.fraction(placeOf(phase.to) + 0.5);
    const band = element("li", { class: `phase phase-${phase.phase}`, title: phase.words });
    band.classList.toggle("is-planned", phase.isPlanned);
    // A band of a few days has no room for its name; it stands in the text and in the table.
    if (to - from > 0.045) band.append(element("span", { class: "phase-name", "aria-hidden": "true" }, phase.phase));
    band.append(element("span", { class: "visually-hidden" }, phase.words));
    band.style.left = `${from * 100}%`;
    band.style.width = `${(to - from) * 100}%`;
    strip.append(band);
  }
}

export function drawSteroid(box: HTMLElement, course: Course, frame: Frame, texts: Texts): void {
  const { days } = course.steroid;
  const bars = days.filter((day) => day.mg !== undefined);
  const marks = days.filter((day) => day.mg === undefined && isMarked(day));
  const solid = BLUE;
  const pattern = hatched(BLUE);
  const pale = hatched("#8bbcdc");
  const height = Math.max(1, ...bars.map((day) => Number(day.mg)));
  const point = (day: SteroidDay, y: number): DrawnPoint => ({
    x: placeOf(day.day),
    y,
    words: day.words,
    sign: day.isSure || day.mg === undefined ? "" : "?",
  });
  const fill = (day: SteroidDay) => (day.source === "given" ? solid : day.isPlanned ? pale : pattern);
  const configuration: ChartConfiguration = {
    type: "bar",
    data: {
      datasets: [
        {
          type: "bar",
          data: bars.map((day) => point(day, Number(day.mg))) as never,
          backgroundColor: bars.map(fill),
          borderColor: bars.map((day) => (day.isPlanned ? "#8bbcdc" : BLUE)),
          borderWidth: 1,
          barPercentage: 0.9,
          categoryPercentage: 1,
          grouped: false,
        } as never,
        {
          type: "scatter",
          data: marks.map((day) => point(day, height * 0.06)) as never,
          pointStyle: marks.map(signOf) as never,
          backgroundColor: "#ffffff",
          borderColor: VERMILION,
          pointRadius: 5,
          borderWidth: 2,
        } as never,
      ],
    },
    options: {
      scales: {
        y: {
          beginAtZero: true,
          suggestedMax: height * 1.25,
          afterFit: fixedWidth,
          grid: { color: GRID },
          border: { color: SOFT },
          title: { display: true, text: "mg" },
          ticks: { maxTicksLimit: 5 },
        },
      },
    },
  };
  const canvas = element("canvas");
  box.append(canvas);
  const chart = drawn(canvas, frame, configuration);
  const readable = days.map((day) => {
    const inBars = bars.indexOf(day);
    const inMarks = marks.indexOf(day);
    const mark =
      inBars >= 0 ? () => pointTo(chart, 0, inBars) : inMarks >= 0 ? () => pointTo(chart, 1, inMarks) : undefined;
    return mark === undefined ? { words: day.words } : { words: day.words, mark };
  });
  makeReadable(box, `${texts.word("steroidHeading")}. ${course.steroid.state.words}`, readable, texts.control("hint"));
}

// A day ahead that holds nothing is not drawn; one that has come is, so that it does not look like a day ahead.
function isMarked(day: SteroidDay): boolean {
  return day.source !== "none" || !day.isPlanned;
}

function signOf(day: SteroidDay): string | HTMLCanvasElement {
  if (day.source === "not-given") return "crossRot";
  return day.source === "none" ? "circle" : questionMark(INK, false);
}

export function steroidLegend(course: Course, texts: Texts): HTMLElement {
  const { days } = course.steroid;
  const kinds: [string, string, boolean][] = [
    ["given", texts.of("doseSources", "given"), days.some((day) => day.source === "given" && day.mg !== undefined)],
    ["ordered", texts.of("doseSources", "ordered"), days.some((day) => day.source === "ordered" && !day.isPlanned)],
    ["planned", texts.control("planned"), days.some((day) => day.source === "ordered" && day.isPlanned)],
    ["not-given", texts.of("doseSources", "not-given"), days.some((day) => day.source === "not-given")],
    ["none", texts.of("doseSources", "none"), days.some((day) => day.source === "none" && !day.isPlanned)],
    ["unknown", texts.word("unknownLegend"), days.some((day) => day.mg === undefined && day.source !== "none")],
  ];
  const shown = kinds.filter(([, , occurs]) => occurs);
  const mark = (kind: string) => (kind === "unknown" ? "?" : kind === "not-given" ? "\u00d7" : "");
  return element(
    "ul",
    { class: "legend" },
    ...shown.map(([kind, words]) =>
      element("li", {}, element("span", { class: `dose dose-${kind}`, "aria-hidden": "true" }, mark(kind)), words),
    ),
  );
}

export function steroidTable(course: Course, texts: Texts): HTMLElement {
  const unknown = texts.word("unknownLegend");
  const columns = [texts.word("dateColumn"), "mg", "mg/kg", texts.word("sourceColumn"), texts.word("phaseLegend")];
  return tableOf(
    {
      caption: texts.word("steroidHeading"),
      columns: [...columns, ""],
      rows: course.steroid.days.map((day) => [
        day.day,
        day.mg ?? (day.source === "none" ? "\u2013" : unknown),
        day.mgPerKg ?? (day.source === "none" ? "\u2013" : unknown),
        texts.of("doseSources", day.source),
        texts.of("phases", day.phase),
        [day.isPlanned ? texts.control("planned") : "", day.isSure ? "" : texts.control("unsure")]
          .filter(Boolean)
          .join("; "),
      ]),
    },
    texts.word("tableView"),
  );
}
