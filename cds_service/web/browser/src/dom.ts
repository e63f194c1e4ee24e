// Elements are made one by one: text from a record never passes through a parser of HTML.

type Attributes = Readonly<Record<string, string | boolean>>;

/** A new element with these attributes (false leaves one out) and children; text children stay text. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(attribute, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** The element of the page with this id. Throws where the page has none. */
export function byId(id: string): HTMLElement {
  return byIdOf(id, HTMLElement);
}

/** The same, of this kind. Throws where it is of another one. */
export function byIdOf<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} with the id ${id}`);
  return found;
}
