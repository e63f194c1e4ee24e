// How things look: colours that colour blindness keeps apart (Okabe and Ito), and a shape and a letter beside each, so
// that nothing depends on colour.
import type { SlotStatus } from "./course";

export const INK = "#1b2530";
export const SOFT = "#4a5763";
export const GRID = "#e3e8ec";
export const BLUE = "#0072b2";
export const VERMILION = "#b34700";
export const GREEN = "#00755a";
export const PURPLE = "#9c4f7d";
export const YELLOW = "#f0e442";

export type Shape = "circle" | "triangle" | "rect" | "rectRot" | "crossRot" | "star";

export interface SeriesSign {
  readonly color: string;
  readonly shape: Shape;
  readonly dash: readonly number[];
}

const BY_ANALYTE: Readonly<Record<string, SeriesSign>> = {
  alt: { color: BLUE, shape: "circle", dash: [] },
  ast: { color: VERMILION, shape: "triangle", dash: [8, 4] },
  total_bilirubin: { color: GREEN, shape: "rect", dash: [2, 3] },
  prothrombin_time: { color: PURPLE, shape: "rectRot", dash: [8, 3, 2, 3] },
  inr: { color: INK, shape: "star", dash: [4, 4] },
};
const ANY_OTHER: SeriesSign = { color: BLUE, shape: "circle", dash: [] };

export function signOf(analyte: string): SeriesSign {
  return BY_ANALYTE[analyte] ?? ANY_OTHER;
}

export interface SlotSign {
  readonly letter: string;
  readonly path: string;
  readonly fill: string;
  readonly line: string;
  readonly text: string;
  readonly dash?: string;
  readonly half?: boolean;
}

// Drawn in a square of 24 by 24.
const CIRCLE = "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20z";
const SQUARE = "M3 3h18v18h-18z";
const TRIANGLE = "M12 1l11.5 21h-23z";
const DIAMOND = "M12 0.5l11.5 11.5l-11.5 11.5l-11.5-11.5z";
const HOUSE = "M7 2h10l5 5v10l-5 5h-10l-5-5v-10z";
const CROSS = "M7.5 1h9v6.5h6.5v9h-6.5v6.5h-9v-6.5h-6.5v-9h6.5z";
const SMALL = "M12 6a6 6 0 1 0 0 12a6 6 0 1 0 0-12z";

export const SLOT_SIGNS: Readonly<Record<SlotStatus, SlotSign>> = {
  done: { letter: "D", path: CIRCLE, fill: GREEN, line: GREEN, text: "#ffffff" },
  partial: { letter: "P", path: CIRCLE, fill: "#ffffff", line: GREEN, text: INK, half: true },
  due: { letter: "N", path: SQUARE, fill: YELLOW, line: INK, text: INK },
  booked: { letter: "B", path: HOUSE, fill: "#dcedf7", line: BLUE, text: INK },
  overdue: { letter: "O", path: TRIANGLE, fill: VERMILION, line: VERMILION, text: "#ffffff" },
  missed: { letter: "M", path: DIAMOND, fill: INK, line: INK, text: "#ffffff" },
  unknown: { letter: "U", path: CROSS, fill: "#f7e8f1", line: PURPLE, text: INK },
  future: { letter: "F", path: CIRCLE, fill: "#ffffff", line: SOFT, text: SOFT },
  optional: { letter: "·", path: SMALL, fill: "#ffffff", line: SOFT, text: SOFT, dash: "2 2" },
};

const SVG = "http://www.w3.org/2000/svg";

export function svg(name: string, attributes: Record<string, string | number>, ...content: Node[]): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, String(value));
  element.append(...content);
  return element;
}

export function slotPicture(status: SlotStatus): SVGElement {
  const sign = SLOT_SIGNS[status];
  const dash: Record<string, string> = sign.dash === undefined ? {} : { "stroke-dasharray": sign.dash };
  const letter = svg("text", {
    x: 12,
    y: status === "overdue" ? 19 : 16.5,
    "text-anchor": "middle",
    "font-size": 12,
    "font-weight": 700,
    fill: sign.text,
  });
  letter.textContent = sign.letter;
  const half = sign.half ? [svg("path", { d: "M12 2a10 10 0 0 0 0 20z", fill: "#bfe3d8" })] : [];
  return svg(
    "svg",
    { viewBox: "-1 -1 26 26", width: 26, height: 26, "aria-hidden": "true", focusable: "false" },
    svg("path", { d: sign.path, fill: sign.fill }),
    ...half,
    svg("path", { d: sign.path, fill: "none", stroke: sign.line, "stroke-width": 1.6, ...dash }),
    letter,
  );
}

export function linePicture(sign: SeriesSign, isHollow = false): SVGElement {
  const fill = isHollow ? "#ffffff" : sign.color;
  return svg(
    "svg",
    { viewBox: "0 0 40 16", width: 40, height: 16, "aria-hidden": "true", focusable: "false" },
    svg("line", { x1: 1, y1: 8, x2: 39, y2: 8, stroke: sign.color, "stroke-width": 2, "stroke-dasharray": sign.dash.join(" ") }),
    svg("path", { d: SHAPES[sign.shape], fill, stroke: sign.color, "stroke-width": 2 }),
  );
}

const SHAPES: Readonly<Record<Shape, string>> = {
  circle: "M20 3.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
  triangle: "M20 2.5l5.5 10h-11z",
  rect: "M15.5 3.5h9v9h-9z",
  rectRot: "M20 2l6 6l-6 6l-6-6z",
  crossRot: "M16 4l8 8M24 4l-8 8",
  star: "M20 2v12M15 5l10 6M25 5l-10 6",
};
