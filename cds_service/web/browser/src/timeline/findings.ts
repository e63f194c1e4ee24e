// The findings of today in the words of the cards: each with its level, its evidence, and the page of its rule.
import { showMarkdown } from "../cards/markdown";
import { element } from "../dom";
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
export function findingsOf(card: Card): readonly Finding[] {
  const found = card.extension?.[FINDINGS];
  return Array.isArray(found) ? (found as Finding[]) : [];
}

// One line for each card, as a way to it.
export function headlines(cards: readonly Card[]): HTMLElement {
  return element(
    "ul",
    { class: "headlines" },
    ...cards.map((card, number) =>
      element("li", {}, levelOf(card.indicator), " ", element("a", { href: `#finding-${number}` }, card.summary)),
    ),
  );
}

export function findingPanels(cards: readonly Card[], root: string, texts: Texts): HTMLElement[] {
  return cards.map((card, number) => {
    const panel = element("article", { class: `panel card card-${levelName(card.indicator)}`, id: `finding-${number}` });
    if (card.source?.topic?.code) panel.dataset["topic"] = card.source.topic.code;
    panel.append(element("h3", {}, levelOf(card.indicator), " ", card.summary));
    panel.append(element("ul", { class: "findings" }, ...findingsOf(card).map((finding) => line(finding, root, texts))));
    if (card.detail) {
      const detail = element("div", { class: "detail prose" });
      showMarkdown(detail, card.detail);
      panel.append(element("details", { class: "whole" }, element("summary", {}, texts.control("whole")), detail));
    }
    panel.append(source(card));
    return panel;
  });
}

function line(finding: Finding, root: string, texts: Texts): HTMLElement {
  const item = element("li", { "data-rule": finding.rule });
  const rule = element("a", { href: `${root}/rules/${encodeURIComponent(finding.rule)}`, target: "_blank", rel: "noopener" });
  rule.append(`${texts.control("rule")} ${finding.rule}`);
  const message = element("p", {}, levelOf(finding.indicator), " ", finding.message, " ", rule);
  item.append(message);
  const evidence = finding.evidence ?? [];
  if (evidence.length > 0) {
    const listed = evidence.map((entry) => {
      const what = [entry.label, entry.value, entry.date].filter(Boolean).join(", ");
      return element("li", {}, what, " ", element("span", { class: "mono soft" }, entry.reference ?? ""));
    });
    const summary = element("summary", {}, `${texts.control("evidence")} (${evidence.length})`);
    item.append(element("details", {}, summary, element("ul", { class: "evidence" }, ...listed)));
  }
  return item;
}

function source(card: Card): HTMLElement {
  const { label = "", url = "" } = card.source ?? {};
  const isLink = /^https:\/\//.test(url);
  const name = isLink ? element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label) : label;
  return element("p", { class: "soft source" }, name);
}

function levelName(indicator: string): string {
  return LEVELS.includes(indicator) ? indicator : "info";
}

function levelOf(indicator: string): HTMLElement {
  const name = levelName(indicator);
  return element("span", { class: `level level-${name}` }, name);
}
