// The page to print for the chart and the parents' folder.
import { element } from "../dom";
import { one } from "../page_parts";
import type { Course } from "./course";
import type { Banner } from "./patient";

// With more lines than these the letters become smaller, so that everything stays on one page.
const MOST_LINES_IN_LARGE_LETTERS = 15;

export function fillSummary(page: HTMLElement, course: Course, { name, born }: Banner): void {
  const { summary } = course;
  one("[data-slot=title]", page).textContent = summary.title;
  one("[data-slot=patient]", page).textContent = name;
  one("[data-slot=born]", page).textContent = born;
  one("[data-slot=infusion]", page).textContent = summary.infusion;
  one("[data-slot=today]", page).textContent = course.today;
  one("[data-slot=windows]", page).textContent = summary.windows;
  one("[data-slot=sections]", page).textContent = summary.sections.join(" ");
  for (const place of page.querySelectorAll("[data-slot=not-reviewed]")) place.textContent = summary.notReviewed;
  fill(page, "next-tests", summary.nextTests.map((test) => test.words));
  fill(page, "steroid-plan", summary.steroidPlan);
  fill(page, "when-to-call", summary.whenToCall);
  const lines = summary.nextTests.length + summary.steroidPlan.length + summary.whenToCall.length;
  page.classList.toggle("is-long", lines > MOST_LINES_IN_LARGE_LETTERS);
}

function fill(page: HTMLElement, name: string, items: readonly string[]): void {
  one(`[data-slot=${name}]`, page).replaceChildren(...items.map((item) => element("li", {}, item)));
}
