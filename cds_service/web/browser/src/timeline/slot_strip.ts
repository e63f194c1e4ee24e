// The blood tests of the calendar as a row of signs for each part, above the same days as the charts.
import { element } from "../dom";
import type { Course, Slot, SlotPart, SlotStatus } from "./course";
import { type DayAxis, placeOf } from "./day_axis";
import { goalOf, tableOf } from "./readable_chart";
import { slotPicture } from "./signs";
import type { Texts } from "./texts";

export function drawSlots(strip: HTMLElement, course: Course, axis: DayAxis, told: HTMLElement): void {
  const buttons: HTMLButtonElement[] = [];
  for (const slot of course.slots) {
    for (const part of slot.parts) {
      const row = strip.querySelector<HTMLElement>(`[data-part="${part.part}"]`);
      if (row === null) continue;
      const span = element("span", { class: "window", "aria-hidden": "true" });
      const from = axis.fraction(placeOf(slot.from) - 0.5);
      span.style.left = `${from * 100}%`;
      span.style.width = `${(axis.fraction(placeOf(slot.to) + 0.5) - from) * 100}%`;
      row.append(span, sign(slot, part, axis, told, buttons));
    }
  }
  const now = [...strip.querySelectorAll<HTMLElement>(".today")];
  for (const line of now) line.style.left = `${axis.fraction(axis.today) * 100}%`;
  buttons.sort((one, other) => Number(one.dataset["place"]) - Number(other.dataset["place"]));
  for (const [number, button] of buttons.entries()) button.tabIndex = number === 0 ? 0 : -1;
  strip.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const goal = at < 0 ? undefined : goalOf(event.key, at, buttons.length);
    if (goal === undefined) return;
    event.preventDefault();
    for (const button of buttons) button.tabIndex = -1;
    const next = buttons[goal];
    if (next === undefined) return;
    next.tabIndex = 0;
    next.focus();
  });
}

function sign(slot: Slot, part: SlotPart, axis: DayAxis, told: HTMLElement, buttons: HTMLElement[]): HTMLElement {
  const words = slot.words;
  const button = element("button", {
    type: "button",
    class: "slot",
    title: words,
    "aria-label": `${slot.id}, ${slot.target}, ${part.statusWords}`,
    "data-place": String(placeOf(slot.target)),
    "data-slot-id": slot.id,
    "data-status": part.status,
  });
  button.append(slotPicture(part.status));
  button.style.left = `${axis.fraction(placeOf(slot.target)) * 100}%`;
  const tell = () => {
    told.textContent = words;
  };
  button.addEventListener("focus", tell);
  button.addEventListener("mouseenter", tell);
  button.addEventListener("click", tell);
  buttons.push(button);
  return button;
}

// Only the states that occur; `words` are those the server gives each.
export function slotLegend(course: Course): HTMLElement {
  const seen = new Map<SlotStatus, string>();
  for (const slot of course.slots) for (const part of slot.parts) seen.set(part.status, part.statusWords);
  const items = [...seen].map(([status, words]) => element("li", {}, slotPicture(status), words));
  return element("ul", { class: "legend" }, ...items);
}

// What the signs cannot show: that too long passed since the last tests, and that more will follow than have a day.
export function slotNotes(course: Course): HTMLElement {
  const notes = [...course.gaps.map((gap) => gap.words), ...course.slotNotes];
  return element("div", {}, ...notes.map((words) => element("p", { class: "soft" }, words)));
}

export function slotTable(course: Course, texts: Texts): HTMLElement {
  const { word, control } = { word: texts.word.bind(texts), control: texts.control.bind(texts) };
  const columns = ["", word("dateColumn"), word("dayColumn"), control("test"), word("statusColumn")];
  return tableOf(
    {
      caption: word("slotsHeading"),
      columns: [...columns, control("sampled"), control("missing")],
      rows: course.slots.flatMap((slot) =>
        slot.parts.map((part) => [
          slot.id,
          slot.target,
          String(slot.dayNumber),
          texts.of("parts", part.part),
          part.statusWords,
          part.on.join(", "),
          part.missing.join(", "),
        ]),
      ),
    },
    word("tableView"),
  );
}
