// The page to print for the chart and the parents' folder.
import { element } from "../dom";
import { one } from "../page_parts";
import type { Course } from "./course";

export function fillSummary(page: HTMLElement, course: Course, patient: string): void {
  const { summary } = course;
  one("[data-slot=title]", page).textContent = summary.title;
  one("[data-slot=patient]", page).textContent = patient;
  one("[data-slot=infusion]", page).textContent = summary.infusion;
  one("[data-slot=today]", page).textContent = course.today;
  one("[data-slot=windows]", page).textContent = summary.windows;
  one("[data-slot=sections]", page).textContent = summary.sections.join(" ");
  for (const place of page.querySelectorAll("[data-slot=not-reviewed]")) place.textContent = summary.notReviewed;
  fill(page, "next-tests", summary.nextTests.map((test) => test.words));
  fill(page, "steroid-plan", summary.steroidPlan);
  fill(page, "when-to-call", summary.whenToCall);
}

function fill(page: HTMLElement, name: string, items: readonly string[]): void {
  one(`[data-slot=${name}]`, page).replaceChildren(...items.map((item) => element("li", {}, item)));
}
