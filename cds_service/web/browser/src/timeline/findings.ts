// The findings of today in the words of the cards: each with its level, its evidence, and the page of its rule.
import MarkdownIt from "markdown-it";
import { made } from "../page_parts";
import type { Card } from "./course";
import type { Texts } from "./texts";

interface Finding {
  readonly rule: string;
  readonly indicator: string;
  readonly message: string;
  readonly section?: string;
  readonly evidence?: readonly { reference?: string; label?: string; value?: string; date?: string }[];
}

const FINDINGS = "onasemnogene-cds.findings";
const LEVELS = ["critical", "warning", "info"];
const markdown = new MarkdownIt({ html: false, linkify: false }).disable("image");
markdown.validateLink = (url) => /^https?:\/\//i.test(url);
markdown.renderer.rules["link_open"] = (tokens, index, options, _environment, renderer) => {
  tokens[index]?.attrSet("rel", "noopener noreferrer");
  tokens[index]?.attrSet("target", "_blank");
  return renderer.renderToken(tokens, index, options);
};
markdown.renderer.rules["table_open"] = () => '<div class="table-box" tabindex="0"><table>';
markdown.renderer.rules["table_close"] = () => "</table></div>";

export function findingsOf(card: Card): readonly Finding[] {
  const found = card.extension?.[FINDINGS];
  return Array.isArray(found) ? (found as Finding[]) : [];
}

// One line for each card, as a way to it.
export function headlines(cards: readonly Card[]): HTMLElement {
  return made(
    "ul",
    { class: "headlines" },
    ...cards.map((card, number) =>
      made("li", {}, levelOf(card.indicator), " ", made("a", { href: `#finding-${number}` }, card.summary)),
    ),
  );
}

export function findingPanels(cards: readonly Card[], root: string, texts: Texts): HTMLElement[] {
  return cards.map((card, number) => {
    const panel = made("article", { class: `panel card card-${levelName(card.indicator)}`, id: `finding-${number}` });
    panel.append(made("h3", {}, levelOf(card.indicator), " ", card.summary));
    panel.append(made("ul", { class: "findings" }, ...findingsOf(card).map((finding) => line(finding, root, texts))));
    if (card.detail) {
      const detail = made("div", { class: "detail prose" });
      // markdown-it escapes everything that is not Markdown, and takes no HTML.
      detail.innerHTML = markdown.render(card.detail);
      panel.append(made("details", { class: "whole" }, made("summary", {}, texts.control("whole")), detail));
    }
    panel.append(source(card));
    return panel;
  });
}

function line(finding: Finding, root: string, texts: Texts): HTMLElement {
  const item = made("li", { "data-rule": finding.rule });
  const rule = made("a", { href: `${root}/rules/${encodeURIComponent(finding.rule)}`, target: "_blank", rel: "noopener" });
  rule.append(`${texts.control("rule")} ${finding.rule}`);
  const message = made("p", {}, levelOf(finding.indicator), " ", finding.message, " ", rule);
  item.append(message);
  const evidence = finding.evidence ?? [];
  if (evidence.length > 0) {
    const listed = evidence.map((entry) => {
      const what = [entry.label, entry.value, entry.date].filter(Boolean).join(", ");
      return made("li", {}, what, " ", made("span", { class: "mono soft" }, entry.reference ?? ""));
    });
    const summary = made("summary", {}, `${texts.control("evidence")} (${evidence.length})`);
    item.append(made("details", {}, summary, made("ul", { class: "evidence" }, ...listed)));
  }
  return item;
}

function source(card: Card): HTMLElement {
  const { label = "", url = "" } = card.source ?? {};
  const isLink = /^https:\/\//.test(url);
  const name = isLink ? made("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label) : label;
  return made("p", { class: "soft source" }, name);
}

function levelName(indicator: string): string {
  return LEVELS.includes(indicator) ? indicator : "info";
}

function levelOf(indicator: string): HTMLElement {
  const name = levelName(indicator);
  return made("span", { class: `level level-${name}` }, name);
}
