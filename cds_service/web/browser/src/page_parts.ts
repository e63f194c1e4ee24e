// Small things that every page does with its elements. Text is only ever set as text.

export function one<T extends HTMLElement>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (found === null) throw new Error(`the page has no ${selector}`);
  return found;
}

export function made<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string> = {},
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...content);
  return element;
}

// Of the parts that have `data-state`, those of this state are shown and all others hidden.
export function show(state: string, within: ParentNode = document): void {
  for (const part of within.querySelectorAll<HTMLElement>("[data-state]")) part.hidden = part.dataset["state"] !== state;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function list(items: readonly string[]): HTMLElement {
  return made("ul", {}, ...items.map((item) => made("li", {}, item)));
}
