// What the charts have in common: their day axis, the lines of today and of the infusion, and still, plain drawing.
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  type Plugin,
  ScatterController,
  Tooltip,
} from "chart.js";
import annotationPlugin, { type AnnotationOptions } from "chartjs-plugin-annotation";
import { type DayAxis, LEFT, RIGHT } from "./day_axis";
import { GRID, INK, SOFT } from "./signs";

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
  Tooltip,
  annotationPlugin,
);
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 12;
Chart.defaults.color = SOFT;
Chart.defaults.animation = false;

const ROOM_FOR_NAMES = 90;

export interface DrawnPoint {
  readonly x: number;
  readonly y: number;
  readonly words: string;
  readonly sign?: string;
}

export interface Frame {
  readonly axis: DayAxis;
  readonly today: string;
  readonly infusion: string;
  readonly showsDays: boolean;
  readonly namesLines: boolean;
}

export const everyChart: Chart[] = [];

export function drawn(canvas: HTMLCanvasElement, frame: Frame, configuration: ChartConfiguration): Chart {
  const { options = {} } = configuration;
  const chart = new Chart(canvas, {
    ...configuration,
    options: {
      ...options,
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      events: ["mousemove", "mouseout", "click"],
      layout: { padding: { right: RIGHT, top: 6 } },
      interaction: { mode: "nearest", intersect: true },
      scales: { x: dayScale(frame), ...options.scales },
      plugins: {
        ...options.plugins,
        tooltip: {
          displayColors: false,
          callbacks: { title: () => "", label: (item) => broken((item.raw as DrawnPoint).words) },
        },
        annotation: { annotations: { ...dayLines(frame), ...options.plugins?.annotation?.annotations } },
      },
    },
    plugins: [boundSigns, ...(configuration.plugins ?? [])],
  } as ChartConfiguration);
  everyChart.push(chart);
  return chart;
}

// Texts at the left edge get the same room everywhere.
export function fixedWidth(scale: { width: number }): void {
  scale.width = LEFT;
}

function dayScale({ axis, showsDays }: Frame): object {
  return {
    type: "linear",
    min: axis.first,
    max: axis.last,
    offset: false,
    grid: { color: GRID, drawTicks: false },
    border: { color: SOFT },
    ticks: {
      display: showsDays,
      autoSkip: true,
      autoSkipPadding: 8,
      maxRotation: 0,
      padding: 6,
      callback: (value: number | string) => axis.tickText(Number(value)),
    },
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = axis.ticks().map((value) => ({ value }));
    },
  };
}

function dayLines({ axis, today, infusion, namesLines }: Frame): Record<string, AnnotationOptions> {
  const lines: Record<string, AnnotationOptions> = {
    today: vertical(axis.today, today, [], namesLines),
  };
  if (axis.infusion !== undefined) {
    // Close to today there is no room for a second name; the tick below still says which day it is.
    const apart = Math.abs(axis.fraction(axis.infusion) - axis.fraction(axis.today));
    const hasRoom = apart * document.documentElement.clientWidth > ROOM_FOR_NAMES;
    const dash = axis.isInfusionPlanned ? [2, 3] : [7, 3];
    lines["infusion"] = vertical(axis.infusion, infusion, dash, namesLines && hasRoom);
  }
  return lines;
}

function vertical(place: number, text: string, dash: number[], isNamed: boolean): AnnotationOptions {
  return {
    type: "line",
    scaleID: "x",
    value: place,
    borderColor: INK,
    borderWidth: 1.5,
    borderDash: dash,
    drawTime: "beforeDatasetsDraw",
    label: {
      display: isNamed,
      content: text,
      position: "start",
      backgroundColor: "rgba(255,255,255,0.9)",
      color: INK,
      font: { size: 11, weight: "bold" },
      padding: 2,
      z: 1,
    },
  };
}

export function level(value: number, scaleID: string, text: string): AnnotationOptions {
  return {
    type: "line",
    scaleID,
    value,
    borderColor: SOFT,
    borderWidth: 1.5,
    borderDash: [6, 4],
    drawTime: "beforeDatasetsDraw",
    label: {
      display: true,
      content: text,
      position: "end",
      backgroundColor: "rgba(255,255,255,0.9)",
      color: INK,
      font: { size: 11, weight: "bold" },
      padding: 2,
      yAdjust: -9,
    },
  };
}

// A value that is only a bound has its sign beside it: the real one lies beyond.
const boundSigns: Plugin = {
  id: "boundSigns",
  afterDatasetsDraw(chart) {
    const { ctx } = chart;
    ctx.save();
    ctx.font = `bold 12px ${Chart.defaults.font.family ?? "sans-serif"}`;
    ctx.fillStyle = INK;
    for (const [number, dataset] of chart.data.datasets.entries()) {
      const elements = chart.getDatasetMeta(number).data;
      for (const [place, raw] of (dataset.data as (DrawnPoint | null)[]).entries()) {
        const element = elements[place];
        if (raw?.sign && element && !Number.isNaN(raw.y)) ctx.fillText(raw.sign, element.x + 7, element.y - 5);
      }
    }
    ctx.restore();
  },
};

// Long texts of the small window beside a point, in lines of some words.
function broken(words: string): string[] {
  const lines = [""];
  for (const word of words.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last.length + word.length > 56) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

export function pointTo(chart: Chart, dataset: number, index: number): void {
  const element = chart.getDatasetMeta(dataset).data[index];
  if (element === undefined) return;
  chart.setActiveElements([{ datasetIndex: dataset, index }]);
  chart.tooltip?.setActiveElements([{ datasetIndex: dataset, index }], { x: element.x, y: element.y });
  chart.update("none");
}

export function questionMark(color: string, isBoxed = true): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 18;
  const context = canvas.getContext("2d");
  if (context === null) return canvas;
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 1.5;
  context.setLineDash([2, 2]);
  if (isBoxed) context.strokeRect(1.5, 1.5, 15, 15);
  context.font = "bold 13px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText("?", 9, 10);
  return canvas;
}

export function hatched(color: string): CanvasPattern | string {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const context = canvas.getContext("2d");
  if (context === null) return color;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, 8, 8);
  context.strokeStyle = color;
  context.lineWidth = 1.6;
  context.beginPath();
  for (const start of [-8, 0, 8]) {
    context.moveTo(start, 8);
    context.lineTo(start + 8, 0);
  }
  context.stroke();
  return context.createPattern(canvas, "repeat") ?? color;
}
