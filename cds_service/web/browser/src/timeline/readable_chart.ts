// A drawing that can also be read: a text for the whole, points that arrow keys go through, and a table of the same.
import { element } from "../dom";

export interface ReadablePoint {
  readonly words: string;
  readonly mark?: () => void;
}

export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

// `box` becomes a picture with a text, whose points are told one by one below it.
export function makeReadable(box: HTMLElement, label: string, points: readonly ReadablePoint[], hint: string): void {
  const told = element("p", { class: "readout", "aria-live": "polite" });
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", label);
  box.after(told);
  if (points.length === 0) return;
  box.tabIndex = 0;
  let at = -1;
  box.addEventListener("focus", () => {
    if (at < 0) told.textContent = hint;
  });
  box.addEventListener("keydown", (event) => {
    const goal = goalOf(event.key, at, points.length);
    if (goal === undefined) return;
    event.preventDefault();
    at = goal;
    points[at]?.mark?.();
    told.textContent = points[at]?.words ?? "";
  });
}

export function goalOf(key: string, at: number, count: number): number | undefined {
  if (key === "ArrowRight" || key === "ArrowDown") return Math.min(at + 1, count - 1);
  if (key === "ArrowLeft" || key === "ArrowUp") return Math.max(at - 1, 0);
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : undefined;
}

export function tableOf(table: Table, summary: string): HTMLElement {
  const head = element("tr", {}, ...table.columns.map((name) => element("th", { scope: "col" }, name)));
  const rows = table.rows.map((row) =>
    element("tr", {}, ...row.map((text, place) => element(place === 0 ? "th" : "td", place === 0 ? { scope: "row" } : {}, text))),
  );
  const content = element(
    "table",
    {},
    element("caption", {}, table.caption),
    element("thead", {}, head),
    element("tbody", {}, ...rows),
  );
  const box = element("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": table.caption }, content);
  return element("details", { class: "as-table" }, element("summary", {}, summary), box);
}
