// Results: liver tests as multiples of their own upper limits on one logarithmic axis, every other series by itself.
// What the server calls unknown stands in a band of its own below, never at a value.
import type { Chart, ChartConfiguration, ChartDataset, ScaleOptionsByType } from "chart.js";
import type { AnnotationOptions } from "chartjs-plugin-annotation";
import { element } from "../dom";
import { type DrawnPoint, drawn, fixedWidth, type Frame, level, pointTo, questionMark } from "./chart_frame";
import type { Course, Line, Point, Series } from "./course";
import { placeOf } from "./day_axis";
import { makeReadable, type ReadablePoint, tableOf } from "./readable_chart";
import { GRID, linePicture, signOf, SOFT } from "./signs";
import type { Texts } from "./texts";

const UNKNOWN = "unknown";
const LOG_TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200];

interface Placed {
  readonly point: Point;
  readonly series: Series;
  readonly dataset: number;
  readonly index: number;
  readonly x: number;
}

export function drawMultiples(box: HTMLElement, course: Course, frame: Frame, texts: Texts): void {
  const every = course.series.filter((series) => series.scale === "timesUln");
  const lines = course.lines.filter((line) => line.scale === "timesUln");
  const values = every.flatMap((series) => series.points.map((point) => Number(point.timesUln))).filter((v) => v > 0);
  const highest = Math.max(30, ...values.map((value) => value * 1.3));
  const lowest = Math.min(0.2, ...values.map((value) => value / 1.3));
  const annotations: Record<string, AnnotationOptions> = {};
  for (const [number, line] of lines.entries()) {
    const value = Number(line.timesUln);
    annotations[`line${number}`] = level(value, "y", `${line.isAbove ? "> " : ""}${line.timesUln} ×`);
    if (line.isAbove) {
      annotations[`above${number}`] = {
        type: "box",
        yScaleID: "y",
        yMin: value,
        backgroundColor: "rgba(179,71,0,0.10)",
        borderWidth: 0,
        drawTime: "beforeDatasetsDraw",
      };
    }
  }
  const y = {
    type: "logarithmic",
    min: lowest,
    max: highest,
    stack: "all",
    stackWeight: 6,
    afterFit: fixedWidth,
    grid: { color: GRID },
    border: { color: SOFT },
    title: { display: true, text: "× ULN" },
    ticks: { callback: (value: number | string) => `${value} ×` },
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = LOG_TICKS.filter((value) => value >= lowest && value <= highest).map((value) => ({ value }));
    },
  };
  drawSeries(box, every, (point) => point.timesUln, { y, annotations, label: texts.word("seriesHeading") }, frame, texts);
}

export function drawValues(box: HTMLElement, series: Series, course: Course, frame: Frame, texts: Texts): void {
  const lines = course.lines.filter((line) => line.scale === "value" && line.series.includes(series.analyte));
  const ofUnit = lines.filter((line) => line.unit === series.unit);
  const annotations: Record<string, AnnotationOptions> = {};
  for (const [number, line] of ofUnit.entries()) {
    annotations[`line${number}`] = level(Number(line.value), "y", `${line.value} ${line.unit}`);
  }
  const y = {
    type: "linear",
    beginAtZero: true,
    suggestedMax: Math.max(0, ...ofUnit.map((line) => Number(line.value) * 1.15)),
    grace: "8%",
    stack: "all",
    stackWeight: 5,
    afterFit: fixedWidth,
    grid: { color: GRID },
    border: { color: SOFT },
    title: { display: true, text: [series.name, series.unit] },
    ticks: { maxTicksLimit: 5 },
  };
  drawSeries(box, [series], (point) => point.value, { y, annotations, label: `${series.name}, ${series.unit}` }, frame, texts);
}

interface Drawing {
  readonly y: object;
  readonly annotations: Record<string, AnnotationOptions>;
  readonly label: string;
}

function drawSeries(
  box: HTMLElement,
  every: readonly Series[],
  valueOf: (point: Point) => string | undefined,
  { y, annotations, label }: Drawing,
  frame: Frame,
  texts: Texts,
): void {
  const placed: Placed[] = [];
  const datasets: ChartDataset[] = [];
  for (const series of every) {
    const { color, shape, dash } = signOf(series.analyte);
    const dated = series.points.filter((point) => point.day !== undefined);
    const known = dated.filter((point) => point.isKnown && valueOf(point) !== undefined);
    const unknown = dated.filter((point) => !known.includes(point));
    const drawnAs = (points: readonly Point[], height: (point: Point) => number): DrawnPoint[] =>
      points.map((point, index) => {
        const x = placeOf(point.day ?? "") + hourOf(point);
        const y = height(point);
        if (!Number.isNaN(y)) placed.push({ point, series, dataset: datasets.length, index, x });
        return { x, y, words: point.words, sign: point.comparator ?? "" };
      });
    datasets.push({
      type: "line",
      label: series.name,
      // A line stops where a result between two others is not known.
      data: drawnAs(dated, (point) => (known.includes(point) ? Number(valueOf(point)) : Number.NaN)) as never,
      borderColor: color,
      borderWidth: 1.8,
      borderDash: [...dash],
      pointStyle: shape,
      pointRadius: 5,
      pointHoverRadius: 7,
      pointBorderColor: color,
      pointBorderWidth: 1.8,
      pointBackgroundColor: dated.map((point) => (point.counts ? color : "#ffffff")),
      yAxisID: "y",
    });
    if (unknown.length > 0) {
      datasets.push({
        type: "scatter",
        label: `${series.name}, ${texts.word("unknownLegend")}`,
        data: drawnAs(unknown, () => (every.indexOf(series) + 1) / (every.length + 1)) as never,
        pointStyle: questionMark(color) as never,
        pointRadius: 6,
        yAxisID: UNKNOWN,
      });
    }
  }
  const hasUnknown = datasets.some((dataset) => (dataset as { yAxisID?: string }).yAxisID === UNKNOWN);
  const scales: Record<string, object> = {};
  if (hasUnknown) {
    scales[UNKNOWN] = {
      type: "linear",
      min: 0,
      max: 1,
      stack: "all",
      stackWeight: 1.4,
      afterFit: fixedWidth,
      grid: { display: false },
      border: { color: SOFT, dash: [2, 2] },
      title: { display: false },
      ticks: { callback: () => texts.word("unknownLegend") },
      afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
        scale.ticks = [{ value: 0.5 }];
      },
    };
    annotations["unknown"] = {
      type: "box",
      yScaleID: UNKNOWN,
      yMin: 0,
      yMax: 1,
      backgroundColor: "rgba(74,87,99,0.10)",
      borderWidth: 0,
      drawTime: "beforeDatasetsDraw",
    };
  }
  scales["y"] = y; // after the band, which so stands below it
  const canvas = element("canvas");
  box.append(canvas);
  const chart: Chart = drawn(canvas, frame, {
    type: "line",
    data: { datasets },
    options: { scales: scales as Record<string, ScaleOptionsByType<"linear">>, plugins: { annotation: { annotations } } },
  } as ChartConfiguration);
  const readable: ReadablePoint[] = [...placed]
    .sort((one, other) => one.x - other.x)
    .map(({ point, dataset, index }) => ({ words: point.words, mark: () => pointTo(chart, dataset, index) }));
  makeReadable(box, label, readable, readable.length > 0 ? texts.control("hint") : texts.word("noResults"));
}

// Two results of one day stand beside each other in the order in which they were taken.
function hourOf(point: Point): number {
  const hours = point.at === undefined ? Number.NaN : new Date(point.at).getUTCHours();
  return Number.isNaN(hours) ? 0 : (hours - 12) / 48;
}

export function seriesLegend(every: readonly Series[], texts: Texts, hollow: string): HTMLElement {
  const items = every.map((series) => {
    const none = series.points.length === 0 ? `: ${texts.word("noResults")}` : "";
    return element("li", {}, linePicture(signOf(series.analyte)), `${series.name}${none}`);
  });
  const first = every[0];
  if (first !== undefined) {
    items.push(element("li", {}, linePicture(signOf(first.analyte), true), hollow));
    const mark = element("span", { class: "unknown-mark", "aria-hidden": "true" }, "?");
    items.push(element("li", {}, mark, texts.word("unknownLegend")));
  }
  return element("ul", { class: "legend" }, ...items);
}

export function linesList(lines: readonly Line[]): HTMLElement {
  return element("ul", { class: "lines" }, ...lines.map((line) => element("li", {}, line.words)));
}

export function seriesTable(every: readonly Series[], caption: string, texts: Texts): HTMLElement {
  const isMultiple = every.some((series) => series.scale === "timesUln");
  const columns = ["dateColumn", "dayColumn", "valueColumn", ...(isMultiple ? ["multipleColumn"] : []), "statusColumn"];
  const rows = every.flatMap((series) => series.points.map((point) => rowOf(point, series, isMultiple, texts)));
  return tableOf(
    { caption, columns: ["", ...columns.map((name) => texts.word(name))], rows },
    texts.word("tableView"),
  );
}

function rowOf(point: Point, series: Series, isMultiple: boolean, texts: Texts): string[] {
  const unknown = texts.word("unknownLegend");
  const multiple = point.timesUln === undefined ? unknown : `${point.comparator ?? ""} ${point.timesUln} ×`.trim();
  const status = [point.status ?? unknown, point.unknownWords].filter(Boolean).join("; ");
  return [
    series.name,
    point.day ?? unknown,
    point.dayNumber === undefined ? unknown : String(point.dayNumber),
    [point.written ?? unknown, point.range === undefined ? "" : `(${point.range})`].join(" ").trim(),
    ...(isMultiple ? [multiple] : []),
    status,
  ];
}
