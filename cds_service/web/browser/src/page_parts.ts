// Small things that our pages do with their parts.
import { element } from "./dom";

export function one<T extends HTMLElement>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return found;
}

// Of the parts that have `data-state`, those of this state are shown and all others hidden.
export function show(state: string, within: ParentNode = document): void {
  for (const part of within.querySelectorAll<HTMLElement>("[data-state]")) part.hidden = part.dataset["state"] !== state;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function list(items: readonly string[]): HTMLElement {
  return element("ul", {}, ...items.map((item) => element("li", {}, item)));
}
