// The day axis that all drawings share. Days are placed here; which day something belongs to, the server has said.
import type { Course } from "./course";

const MS_PER_DAY = 86_400_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// Room in CSS pixels left and right of every drawing, so that days stand above each other.
export const LEFT = 84;
export const RIGHT = 14;

export class DayAxis {
  readonly first: number;
  readonly last: number;
  readonly today: number;
  readonly infusion: number | undefined;
  readonly isInfusionPlanned: boolean;

  constructor(course: Course) {
    this.first = placeOf(course.span.from) - 0.5;
    this.last = placeOf(course.span.to) + 0.5;
    this.today = placeOf(course.today);
    this.infusion = course.infusion.day === undefined ? undefined : placeOf(course.infusion.day);
    this.isInfusionPlanned = course.infusion.state === "planned";
  }

  // From 0 at the left edge to 1 at the right one; days outside stand on the edge.
  fraction(place: number): number {
    return Math.min(1, Math.max(0, (place - this.first) / (this.last - this.first)));
  }

  // A tick each week, counted from the infusion where its day is known.
  ticks(): number[] {
    const origin = this.infusion ?? Math.ceil(this.first);
    const weeks = this.last - this.first > 140 ? 2 : 1;
    const step = 7 * weeks;
    const ticks = [];
    for (let place = origin + Math.ceil((this.first - origin) / step) * step; place <= this.last; place += step) {
      ticks.push(place);
    }
    return ticks;
  }

  tickText(place: number): string | string[] {
    const date = new Date(place * MS_PER_DAY);
    const day = `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}`;
    if (this.infusion === undefined) return day;
    const number = place - this.infusion;
    return [number < 0 ? `D−${-number}` : `D+${number}`, day];
  }
}

// Where an ISO day stands: days since 1970.
export function placeOf(day: string): number {
  return Math.round(Date.parse(`${day.slice(0, 10)}T00:00:00Z`) / MS_PER_DAY);
}
