import { element } from "../dom";
import { type Action, type Card, type Coding, type Link, type Suggestion, webAddress } from "./card";
import { showMarkdown } from "./markdown";

/** What a page does with a card; without `accept` and `override` it is shown to be read alone. */
export interface CardHandling {
  /** Act on a suggestion that somebody took, and say what came of it. */
  readonly accept?: (card: Card, suggestion: Suggestion) => Promise<HTMLElement>;
  /** Act on a card that somebody set aside, and say what came of it. */
  readonly override?: (card: Card, reason: Coding | undefined, comment: string) => Promise<HTMLElement>;
  /** The address at which an app is opened; undefined where it cannot be. */
  readonly launchAddress?: (link: Link) => string | undefined;
}

let made = 0;

/** A card as an EHR shows it: level, summary, detail, suggestions, links, source, and reasons to set it aside. */
export function cardView(card: Card, handling: CardHandling): HTMLElement {
  const id = `card-${(made += 1)}`;
  const outcome = element("div", { class: "outcome", role: "status", tabindex: "-1" });
  const view = element("article", { class: `card card-${levelOf(card)}`, "aria-labelledby": id });
  const controls = element("div", { class: "controls" });
  view.append(heading(card, id), ...detail(card, `${id}-detail`));
  if (card.suggestions?.length) view.append(suggestions(card, card.suggestions, handling, outcome));
  view.append(controls);
  controls.append(...linksOf(card, "smart", handling));
  if (handling.override && card.overrideReasons?.length) {
    controls.append(overriding(card, card.overrideReasons, handling.override, outcome, id));
  }
  view.append(outcome, foot(card, handling));
  return view;
}

function levelOf(card: Card): Card["indicator"] {
  return card.indicator === "critical" || card.indicator === "warning" ? card.indicator : "info";
}

function heading(card: Card, id: string): HTMLElement {
  const level = levelOf(card);
  return element(
    "header",
    {},
    element("span", { class: `level level-${level}` }, level),
    element("h3", { id }, card.summary),
  );
}

function detail(card: Card, id: string): HTMLElement[] {
  if (!card.detail) return [];
  const text = element("div", { class: "detail clipped", id });
  showMarkdown(text, card.detail);
  const more = element("button", { type: "button", class: "more", "aria-expanded": "false", "aria-controls": id });
  more.append("Show all", element("span", { class: "visually-hidden" }, ` of: ${card.summary}`));
  more.addEventListener("click", () => {
    const isWhole = !text.classList.toggle("clipped");
    more.setAttribute("aria-expanded", String(isWhole));
    more.firstChild?.replaceWith(isWhole ? "Show less" : "Show all");
  });
  return [text, more];
}

/** In pixels. Only what is longer, such as the checklist, is folded, so that nobody has to open an ordinary card. */
const LONGEST_SHOWN_WHOLE = 420;

/** Unfold the details that are not long and take away their buttons; to be called once the cards stand in the page. */
export function withoutNeedlessButtons(cards: HTMLElement): void {
  for (const text of cards.querySelectorAll<HTMLElement>(".detail.clipped")) {
    if (text.scrollHeight <= LONGEST_SHOWN_WHOLE) {
      text.classList.remove("clipped");
      text.nextElementSibling?.remove();
    }
  }
}

function suggestions(
  card: Card,
  offered: readonly Suggestion[],
  handling: CardHandling,
  outcome: HTMLElement,
): HTMLElement {
  const list = element("ul", { class: "suggestions", "aria-label": "Suggestions" });
  for (const suggestion of offered) {
    const label = element("p", { class: "suggestion-label" }, suggestion.label);
    if (suggestion.isRecommended) label.append(" ", element("span", { class: "recommended" }, "recommended"));
    const item = element("li", { class: "suggestion" }, label, actions(suggestion.actions ?? []));
    const { accept } = handling;
    if (accept && suggestion.uuid !== undefined) {
      const button = element("button", { type: "button", class: "accept" }, "Accept");
      button.setAttribute("aria-label", `Accept: ${suggestion.label}`);
      button.addEventListener("click", () => {
        const rivals = card.selectionBehavior === "any" ? [button] : [...list.querySelectorAll("button")];
        void settle(rivals, outcome, async () => {
          const said = await accept(card, suggestion);
          button.replaceChildren("Accepted");
          return said;
        });
      });
      item.append(button);
    }
    list.append(item);
  }
  return list;
}

const SHOWN_AT_ONCE = 3;

function actions(all: readonly Action[]): HTMLElement {
  const first = element("ul", { class: "actions" }, ...all.slice(0, SHOWN_AT_ONCE).map(action));
  if (all.length <= SHOWN_AT_ONCE) return first;
  const rest = element("ul", { class: "actions" }, ...all.slice(SHOWN_AT_ONCE).map(action));
  const more = element("details", {}, element("summary", {}, `${all.length - SHOWN_AT_ONCE} more`), rest);
  return element("div", {}, first, more);
}

function action(one: Action): HTMLElement {
  return element("li", {}, element("span", { class: "action-type mono" }, one.type), ` ${one.description}`);
}

function linksOf(card: Card, kind: Link["type"], handling: CardHandling): HTMLElement[] {
  const links = (card.links ?? []).filter((link) => link.type === kind);
  const lead = sharedLead(links);
  return links.map((link) => {
    const address = kind === "smart" ? handling.launchAddress?.(link) : webAddress(link.url)?.href;
    return address === undefined ? element("span", {}, link.label) : outward(address, link.label, kind, lead);
  });
}

/** How all labels begin, up to a colon, where there are several: it then has to be read once only. */
function sharedLead(links: readonly Link[]): string {
  const first = links[0]?.label ?? "";
  const lead = first.slice(0, first.indexOf(": ") + 2);
  return links.length > 1 && lead.length > 2 && links.every((link) => link.label.startsWith(lead)) ? lead : "";
}

/** A link to elsewhere. The words that it shares with its neighbours are left to those who hear it by itself. */
function outward(address: string, label: string, kind: string, lead = ""): HTMLElement {
  const attributes = { href: address, target: "_blank", rel: "noopener noreferrer", class: `link-${kind}` };
  return element("a", { ...attributes, "aria-label": `${label} (opens a new tab)` }, label.slice(lead.length));
}

function foot(card: Card, handling: CardHandling): HTMLElement {
  const address = webAddress(card.source.url)?.href;
  const label = card.source.label;
  const source = element("p", {}, "Source: ", address === undefined ? label : outward(address, label, "source"));
  const links = linksOf(card, "absolute", handling);
  if (links.length === 0) return element("footer", { class: "soft" }, source);
  const list = element("ul", { class: "card-links", "aria-label": "Links" }, ...links.map((link) => element("li", {}, link)));
  const lead = sharedLead((card.links ?? []).filter((link) => link.type === "absolute"));
  return element("footer", { class: "soft" }, element("div", {}, element("span", { "aria-hidden": "true" }, lead), list), source);
}

function overriding(
  card: Card,
  reasons: readonly Coding[],
  override: NonNullable<CardHandling["override"]>,
  outcome: HTMLElement,
  id: string,
): HTMLElement {
  const choice = element("select", { id: `${id}-reason` });
  choice.append(...reasons.map((reason, n) => element("option", { value: String(n) }, reason.display ?? reason.code)));
  const comment = element("input", { id: `${id}-comment`, type: "text", autocomplete: "off", maxlength: "500" });
  const button = element("button", { type: "button" }, "Override");
  button.setAttribute("aria-label", `Override: ${card.summary}`);
  const form = element(
    "details",
    { class: "override" },
    element("summary", {}, "Override", element("span", { class: "visually-hidden" }, `: ${card.summary}`)),
    element("label", { for: choice.id }, "Reason"),
    choice,
    element("label", { for: comment.id }, "Comment (optional)"),
    comment,
    button,
  );
  button.addEventListener("click", () => {
    void settle([button], outcome, () => override(card, reasons[Number(choice.value)], comment.value.trim()));
  });
  return form;
}

/** Do it once: the buttons stay off where it was done, and come back where it was not. */
async function settle(
  buttons: readonly HTMLButtonElement[],
  outcome: HTMLElement,
  act: () => Promise<HTMLElement>,
): Promise<void> {
  for (const button of buttons) button.disabled = true;
  try {
    outcome.replaceChildren(await act());
  } catch (fault) {
    for (const button of buttons) button.disabled = false;
    outcome.replaceChildren(element("p", { class: "outcome-fault" }, fault instanceof Error ? fault.message : String(fault)));
  }
  outcome.focus();
}
